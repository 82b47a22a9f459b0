"""Defects that a review by use once found: each stays mended."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.features import DataError, Tables
from touchline.playbook import PlaybookError, load_playbook, parse_playbook, starter_text

LEADS_AND_TOUCHES = """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches.csv"
"""


@pytest.mark.parametrize(
    ("form", "written", "hour"),
    [
        ("%d/%m/%Y %H:%M %z", "05/02/2024 10:00 +02:00", 8),
        ("%d/%m/%Y %H:%M %Z", "05/02/2024 10:00 UTC", 10),
        ("%d/%m/%Y %H:%M %Z", "05/02/2024 10:00 America/New_York", 15),
        ("%d/%m/%Y %I:%M %p", "05/02/2024 10:00 PM", 21),
    ],
)
def test_formats_with_and_without_zones_mean_one_instant(company, form, written, hour):
    company.playbook_text += f"""{LEADS_AND_TOUCHES}
time_zone = "Europe/Paris"
columns = {{ occurred_at = {{ column = "occurred_at", format = "{form}" }} }}
"""
    company.write("touches", [company.touch("T1", at=written)])
    company.check()
    assert company.kept()[0]["occurred_at"].hour == hour


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_of_every_resolution_are_read_from_parquet(company, unit, zone):
    company.playbook_text = 'time_zone = "UTC"\n' + company.playbook_text
    (company.folder / "touches.csv").unlink()
    table = pa.table(
        {
            "touch_id": ["T1"],
            "lead_id": ["L1"],
            "kind": ["open"],
            "occurred_at": pa.array(
                [1707127200 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[unit]], pa.timestamp(unit, zone)
            ),
        }
    )
    pq.write_table(table, company.folder / "touches.parquet")
    company.check()
    assert company.kept()[0]["occurred_at"].isoformat() == "2024-02-05T10:00:00+00:00"


@pytest.mark.parametrize(
    "name", ["source", "file", "row", "broken", "problem", "flaw", "reason", "machine", "filename", "position", "at"]
)
@pytest.mark.parametrize(("kind", "value"), [("text", "word"), ("number", "7"), ("boolean", "true")])
def test_an_attribute_may_have_any_name(company, name, kind, value):
    company.playbook_text += f"""
[attributes.{name}]
table = "leads"
type = "{kind}"
known = "creation"
words.en = "x"
"""
    company.write("leads", [{"lead_id": "L1", "created_at": "2024-01-01T00:00:00Z", "industry": "", name: value}])
    company.write("touches", [company.touch("T1")])
    result = company.check()
    assert not [r for r in result.reasons if r.table != "touches"]
    assert company.kept("leads")[0][name] == {"text": value, "number": 7.0, "boolean": True}[kind]


def test_a_source_may_have_a_column_called_filename(company):
    company.write("touches", [company.touch("T1", filename="a.pdf", asset="a")])
    assert company.check().sources[1].columns_not_used == ("filename",)


def test_ids_that_pandas_turned_into_floats_are_whole(company):
    (company.folder / "touches.csv").unlink()
    (company.folder / "leads.csv").unlink()
    pq.write_table(
        pa.table({"lead_id": [1.0, 2.0], "created_at": ["2024-01-01T00:00:00Z"] * 2}), company.folder / "leads.parquet"
    )
    pq.write_table(
        pa.table(
            {
                "touch_id": [7.0],
                "lead_id": ["1"],
                "kind": ["open"],
                "occurred_at": ["2024-02-05T10:00:00Z"],
                "machine": [1.0],
            }
        ),
        company.folder / "touches.parquet",
    )
    company.write("deals", [{"deal_id": "D1", "lead_id": "2"}])
    company.check()
    (touch,) = company.kept()
    assert (touch["touch_id"], touch["lead_id"], touch["machine"]) == ("7", "1", True)


def test_stages_written_in_two_words_are_repeats(company):
    at = "2024-03-01T00:00:00Z"
    company.write("stages", [
        {"lead_id": "L1", "stage": "Closed Lost", "entered_at": at},
        {"lead_id": "L1", "stage": "Closed Lost", "entered_at": at},
        {"lead_id": "L1", "stage": "lost", "entered_at": at},
    ])  # fmt: skip
    result = company.check()
    assert result.table("stages").rows == 1
    assert [(r.code, r.rows) for r in result.reasons] == [("duplicate_delivery", 2)]


def test_a_log_of_outcomes_completes_the_deals(company):
    company.write("deals", [
        {"deal_id": "D1", "lead_id": "L1", "closed_at": "2024-04-01T00:00:00Z", "outcome": "won", "opened_at": ""},
        {"deal_id": "D2", "lead_id": "L2", "closed_at": "", "outcome": "", "opened_at": "2024-03-01T00:00:00Z"},
    ])  # fmt: skip
    company.write("outcomes", [
        {"deal_id": "D1", "lead_id": "L1", "occurred_at": "2024-05-01T00:00:00Z", "outcome": "lost"},
        {"deal_id": "D2", "lead_id": "L2", "occurred_at": "2024-05-02T00:00:00Z", "outcome": "won"},
        {"deal_id": "D3", "lead_id": "L3", "occurred_at": "2024-05-03T00:00:00Z", "outcome": "lost"},
    ])  # fmt: skip
    result = company.check()
    deals = {d["deal_id"]: (d["outcome"], d["closed_at"].day, d["known_at"].day) for d in company.kept("deals")}
    assert deals == {"D1": ("won", 1, 1), "D2": ("won", 2, 2), "D3": ("lost", 3, 3)}
    assert "table_against_log" in [note.code for note in result.notes]
    assert all(source.adds_up for source in result.sources)


def test_what_the_log_says_does_not_depend_on_its_order(company):
    events = [
        {"deal_id": "D9", "lead_id": "L1", "occurred_at": "2024-05-01T00:00:00Z", "outcome": "won", "amount": amount}
        for amount in ("5", "7", "6")
    ]
    company.write("outcomes", events)
    first = company.check().data_digest
    company.write("outcomes", events[::-1])
    assert company.check().data_digest == first


def test_an_open_deal_is_known_from_its_opening_whatever_people_hope(company):
    company.write("deals", [
        {"deal_id": "D1", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z"},
        {"deal_id": "D2", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z",
         "known_at": "2024-03-02T00:00:00Z"},
        {"deal_id": "D3", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "1970-01-01T00:00:00Z"},
    ])  # fmt: skip
    result = company.check()
    assert not result.reasons
    assert [d["known_at"].day for d in company.kept("deals")] == [1, 2, 1]


def test_a_chain_that_runs_into_a_circle_moves_nothing_twice(company):
    def merge(a: str, b: str, day: int) -> dict[str, str]:
        return {"from_lead": a, "into_lead": b, "merged_at": f"2024-05-0{day}T00:00:00Z"}

    company.write("touches", [company.touch("T1", lead="L1")])
    company.write("merges", [merge("L1", "L2", 1), merge("L2", "L3", 2), merge("L3", "L2", 3)])
    result = company.check()
    assert [(t["lead_id"], t["merged_from"]) for t in company.kept()] == [("L1", None), ("L2", "L1")]
    assert [(r.code, r.rows) for r in result.reasons] == [("merged_in_a_circle", 2)]


def test_shares_of_bad_rows_are_of_what_was_read(company):
    company.playbook_text = company.playbook_text.replace("max_share = 1", "max_share = 0.3")
    at = "2024-05-01T00:00:00Z"
    good = [{"lead_id": "L1", "occurred_at": at, "outcome": "won"}] * 9
    company.write("outcomes", [*good, {"lead_id": "L9", "occurred_at": at, "outcome": "won"}])
    company.write("merges", [
        {"from_lead": "L1", "into_lead": "L2", "merged_at": at},
        {"from_lead": "L3", "into_lead": "L2", "merged_at": at},
        {"from_lead": "L3", "into_lead": "L1", "merged_at": at},
    ])  # fmt: skip
    assert company.check().over_limit == {"merges": pytest.approx(1 / 3)}


def test_quarantined_rows_can_be_found_again_in_their_files(company):
    (company.folder / "touches.csv").unlink()
    (company.folder / "touches").mkdir()
    rows = [company.touch(f"T{n}", at=f"2024-02-05T10:00:{n % 60:02d}.{n:06d}Z") for n in range(9_000)]
    rows[4_321]["kind"] = rows[8_765]["kind"] = "fax"
    company.write("touches/a", rows[:5_000])
    company.write("touches/b", rows[5_000:])
    company.check()
    found = pq.read_table(company.out / "quarantine.parquet").to_pylist()
    assert [(q["path"], q["row"], q["row_key"]) for q in found] == [
        ("touches/a.csv", 4_322, "T4321"),
        ("touches/b.csv", 3_766, "T8765"),
    ]


def test_a_rejected_record_of_several_lines_is_one(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text() + 'T8,L1,2024-02-05T10:00:00Z,open,"x\ny\nz",extra\n')
    account = next(s for s in company.check().sources if s.path == "touches.csv")
    assert (account.read, account.kept["touches"], account.quarantined) == (4, 3, 1)


def test_a_quote_that_swallowed_rows_is_noted(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text() + 'T8,L1,2024-02-05T10:00:00Z,open,"a\nT9,L1,2024-02-05T11:00:00Z,open,b"\n')
    assert "long_quotes" in [note.code for note in company.check().notes]


def test_words_of_the_playbook_are_trimmed_as_data_is(company):
    company.playbook_text = company.playbook_text.replace(
        'raw = ["Open Email"]', 'raw = [" Open Email ", "Open Email"]'
    )
    company.write("touches", [company.touch("T1", kind="Open Email ")])
    company.check()
    assert company.kept()[0]["kind"] == "open"


def test_companies_may_be_older_than_the_web(company):
    company.write("accounts", [{"account_id": "A1", "created_at": "1985-01-01T00:00:00Z"}])
    company.write("changes", [
        {"lead_id": "", "account_id": "A1", "field": "size", "value": "3", "known_at": "2024-02-01T00:00:00Z"},
        {"lead_id": "", "account_id": "A9", "field": "size", "value": "3", "known_at": "2024-02-01T00:00:00Z"},
    ])  # fmt: skip
    result = company.check()
    assert result.table("accounts").rows == 1
    assert [r.code for r in result.reasons] == ["unknown_account"]


# --- places that are not ours ---------------------------------------------------------------------------------------


def test_a_folder_with_somebody_elses_manifest_is_left_alone(company):
    company.out.mkdir()
    (company.out / "manifest.json").write_text('{"name": "extension"}')
    (company.out / "code.js").write_text("code")
    with pytest.raises(DataError, match="did not write"):
        company.check()
    assert (company.out / "code.js").read_text() == "code"


def test_a_folder_of_ours_with_something_of_yours_is_left_alone(company):
    company.check()
    (company.out / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="did not write"):
        company.check()


def test_the_place_of_refused_results_is_looked_at_too_and_cleared_when_all_is_well(company):
    refused = company.out.with_name("tables.refused")
    refused.mkdir()
    (refused / "thesis.txt").write_text("precious")
    with pytest.raises(DataError, match="did not write"):
        company.check()
    (refused / "thesis.txt").unlink()
    company.playbook_text = company.playbook_text.replace("max_share = 1", "max_share = 0")
    touches = (company.folder / "touches.csv").read_text()
    company.write("touches", [company.touch("T1", lead="L9")])
    assert not company.check().ok
    assert (refused / "quarantine.parquet").exists()
    (company.folder / "touches.csv").write_text(touches)
    assert company.check().ok
    assert not refused.exists()


def test_a_linked_folder_is_written_through_the_link(company, tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    company.out = link
    for _ in range(2):
        company.check()
        assert link.is_symlink()
        assert (real / "touches.parquet").exists()


def test_results_are_never_written_into_the_data(company):
    for place in (company.folder / "tables", company.folder, company.folder.parent):
        company.out = place
        with pytest.raises(DataError, match=r"lies inside the data|did not write"):
            company.check()


def test_nothing_but_the_tables_is_left_behind(company):
    company.check()
    assert sorted(p.name for p in company.out.parent.iterdir()) == ["data", "tables"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"tables": 3}', '{"name": "x"}'])
def test_a_manifest_that_is_none_is_said(company, content):
    company.check()
    (company.out / "manifest.json").write_text(content)
    with pytest.raises(DataError):
        Tables.open(company.out)


# --- sources --------------------------------------------------------------------------------------------------------


def test_patterns_read_each_file_once_and_take_the_data_folder_literally(company, tmp_path):
    odd = tmp_path / "d[1]"
    company.folder.rename(odd)
    company.folder = odd
    (odd / "deep" / "er").mkdir(parents=True)
    (odd / "touches.csv").rename(odd / "deep" / "er" / "touches.csv")
    company.playbook_text += LEADS_AND_TOUCHES.replace("touches.csv", "**/**/t*.csv")
    assert company.check().table("touches").rows == 3


def test_a_database_in_other_letters_and_schemas_is_found(company):
    database = company.folder / "export.duckdb"
    con = duckdb.connect(str(database))
    con.execute("CREATE SCHEMA crm")
    con.execute(f"CREATE TABLE LEADS AS FROM '{company.folder}/leads.csv'")
    con.execute(f"CREATE TABLE crm.Touches AS FROM '{company.folder}/touches.csv'")
    con.close()
    company.playbook_text = 'time_zone = "UTC"\n' + company.playbook_text
    company.folder = database
    result = company.check()
    assert result.table("touches").rows == 3


def test_a_damaged_database_is_said(company):
    database = company.folder / "crm.duckdb"
    database.write_bytes(b"12345678DUCK" + b"x" * 5000)
    company.folder = database
    with pytest.raises(DataError, match="cannot be opened"):
        company.check()


def test_a_file_without_a_header_shows_nobody(company):
    (company.folder / "leads.csv").write_text("marie.curie@example.org,2024-01-01,+33612345678\na@example.org,x,y\n")
    with pytest.raises(DataError) as caught:
        company.check()
    assert "does not look like a header" in str(caught.value)
    assert "curie" not in str(caught.value)


@pytest.mark.parametrize("content", [b"PK\x03\x04" + b"x" * 40, "lead_id,created_at\n".encode("utf-16")])
def test_workbooks_and_wide_characters_are_recognised(company, content):
    (company.folder / "leads.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"Excel|UTF-16"):
        company.check()


def test_too_little_memory_is_said(company):
    with pytest.raises(DataError, match="memory"):
        company.check(memory="1MB")


# --- playbooks that once passed and then failed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "section",
    [
        "columns = { kind = { columns = [] } }",
        'columns = { kind = { column = "a", map = {} } }',
        'delimiter = "ab"',
        'encoding = "hex"',
        'encoding = "rot13"',
        'encoding = "undefined"',
        'encoding = "zlib"',
        'encoding = "\\u0000"',
        'columns = { occurred_at = { column = "a", format = "%Q" } }',
        'columns = { occurred_at = { column = "a", format = "" } }',
        'columns = { occurred_at = { column = "a", format = "%" } }',
        'columns = { occurred_at = { column = "a", format = "%H:%M" } }',
        'time_zone = "localtime"',
        'known_after = "900000000d"',
        'known_after = "99999999999999999999d"',
        'relation = ""',
        'relation = "a..b"',
    ],
)
def test_a_source_that_cannot_work_is_told_by_the_playbook(section):
    with pytest.raises(PlaybookError):
        parse_playbook(f'{starter_text()}\n[[sources]]\ntable = "touches"\npath = "t.csv"\n{section}\n')


@pytest.mark.parametrize(
    ("change", "to"),
    [
        ('languages = ["en", "fr"]', "languages = []"),
        ('email.words = { en = "E-mail"', 'email.raw = ["x"]\nweb.raw = ["x"]\nemail.words = { en = "E-mail"'),
        ("security.words = { en", 'security.raw = ["x"]\nsupport.raw = ["x "]\nsecurity.words = { en'),
        ("minimum_amount = 0", "minimum_amount = inf"),
        ("target = 24", "target = nan"),
        ('role = "lead"', "role = []"),
        ('role = "lead"', "role = {}"),
        ("[attributes.role]", "[attributes.merged_into]"),
    ],
)
def test_a_playbook_that_cannot_work_is_told(change, to):
    assert change in starter_text()
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(starter_text().replace(change, to, 1))
    assert "change the value" not in str(caught.value)


def test_a_playbook_from_a_windows_editor_is_read(tmp_path):
    path = tmp_path / "playbook.toml"
    path.write_bytes(b"\xef\xbb\xbf" + starter_text().encode())
    assert load_playbook(path).name == "Starter"


def test_a_playbook_that_is_no_file_is_told(tmp_path):
    (tmp_path / "p.toml").write_text("")
    for path in (tmp_path, tmp_path / "p.toml" / "x", tmp_path / ("n" * 300)):
        with pytest.raises(PlaybookError):
            load_playbook(path)


def test_deep_nesting_is_told():
    with pytest.raises(PlaybookError, match="nested too deeply"):
        parse_playbook("a = " + "[" * 5000 + "]" * 5000)


def test_an_ignored_source_with_an_unknown_column_is_told(company):
    company.playbook_text += (
        LEADS_AND_TOUCHES + '[[sources]]\ntable = "ignored"\npath = "touches.csv"\nonly = { nosuch = ["x"] }\n'
    )
    with pytest.raises(DataError, match="lacks the column nosuch"):
        company.check()


def test_written_json_is_json(company):
    company.check()
    for name in ("manifest.json", "playbook.json"):
        json.loads((company.out / name).read_text(), parse_constant=pytest.fail)
