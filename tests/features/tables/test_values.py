"""Values are typed by declaration; what cannot be read goes to quarantine with a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.features import DataError


def test_a_clean_company_keeps_every_row(company):
    result = company.check()
    assert result.ok
    assert not result.reasons
    assert {t.name: t.rows for t in result.tables if t.rows} == {"leads": 3, "touches": 3, "deals": 1}
    assert all(source.adds_up for source in result.sources)
    assert [row["kind"] for row in company.kept()] == ["send", "open", "send"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-02-05T10:00:00Z", "2024-02-05T10:00:00"),
        ("2024-02-05 10:00:00+02:00", "2024-02-05T08:00:00"),
        ("2024-02-05T10:00:00.123456+0200", "2024-02-05T08:00:00.123456"),
        ("2024-02-05 10:00 UTC", "2024-02-05T10:00:00"),
        ("  2024-02-05T10:00-05  ", "2024-02-05T15:00:00"),
        ("2024-02-05 10:00:00 GMT", "2024-02-05T10:00:00"),
        ("2024-02-05t10:00:00z", "2024-02-05T10:00:00"),
        ("2024-2-5 9:5:00Z", "2024-02-05T09:05:00"),
    ],
)
def test_times_with_a_zone_become_utc(company, written, meant):
    company.write("touches", [company.touch("T1", at=written)])
    company.check()
    assert company.kept()[0]["occurred_at"] == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("2024-02-05 10:00:00", "naive_time"),
        ("2024-02-05", "naive_time"),
        ("2024-03-31", "naive_time"),  # its last part looks like an offset
        ("tomorrow", "bad_time"),
        ("2024-13-05T10:00:00Z", "bad_time"),
        ("31/01/2024 10:00", "bad_time"),
        ("", "missing_value"),
        ("1970-01-01T00:00:00Z", "implausible_time"),
        ("infinity", "bad_time"),
        ("2024-02-05 10:00:00 PM", "bad_time"),
        ("2024-02-05 10:00:00 EST", "bad_time"),
        ("2024-02-05 10:00:00 America/New_York", "bad_time"),
        ("2024-02-05T10:00:00+25:00", "bad_time"),
        ("2024-02-05T10:00:00+05:30:00", "bad_time"),
        ("2031-01-01T00:00:00Z", "future_time"),
    ],
)
def test_times_that_mean_nothing_sure_are_set_aside(company, written, code):
    company.write("touches", [company.touch("T1", at=written), company.touch("T2")])
    company.check()
    assert company.reasons() == {"T1": code}
    assert [row["touch_id"] for row in company.kept()] == ["T2"]


def test_naive_times_are_placed_in_the_stated_zone(company):
    company.playbook_text = 'time_zone = "Europe/Paris"\n' + company.playbook_text
    company.write(
        "touches", [company.touch("T1", at="2024-07-01 12:00:00"), company.touch("T2", at="2024-02-01 12:00")]
    )
    company.check()
    assert [row["occurred_at"].hour for row in company.kept()] == [11, 10]


def test_formats_units_and_decimal_commas_are_read_as_declared(company):
    company.playbook_text += """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches.csv"
time_zone = "Europe/Paris"
[sources.columns]
occurred_at = { column = "date", format = "%d/%m/%Y %H:%M" }
known_at = { column = "logged", unit = "ms" }
[[sources]]
table = "deals"
path = "deals.csv"
columns.amount = { column = "worth", decimal = "," }
"""
    company.write("touches", [{"touch_id": "T1", "lead_id": "L1", "kind": "open", "date": "05/02/2024 10:00",
                               "logged": "1707127200000"}])  # fmt: skip
    company.write(
        "deals",
        [
            {"deal_id": "D1", "lead_id": "L1", "worth": "1\u202f234,50"},
            {"deal_id": "D2", "lead_id": "L1", "worth": "1.234"},
        ],
    )
    company.check()
    (touch,) = company.kept()
    assert touch["occurred_at"] == datetime(2024, 2, 5, 9, tzinfo=UTC)
    assert touch["known_at"] == datetime(2024, 2, 5, 10, tzinfo=UTC)
    assert [row["amount"] for row in company.kept("deals")] == [1234.5, 1234.0]


def test_a_source_that_reaches_us_late_is_known_late(company):
    company.playbook_text += """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches.csv"
known_after = "2d"
"""
    company.check()
    row = company.kept()[0]
    assert (row["known_at"] - row["occurred_at"]).days == 2


@pytest.mark.parametrize("word", ["yes", "TRUE", "1", "oui", "t"])
def test_words_for_true_are_understood(company, word):
    company.write("touches", [company.touch("T1", machine=word)])
    company.check()
    assert company.kept()[0]["machine"] is True


def test_a_word_that_is_neither_true_nor_false_is_set_aside(company):
    company.write("touches", [company.touch("T1", machine="perhaps"), company.touch("T2", machine="")])
    company.check()
    assert company.reasons() == {"T1": "bad_boolean"}


@pytest.mark.parametrize("amount", ["a lot", "1e999", "nan", "12 345"])
def test_amounts_that_are_no_numbers_are_set_aside(company, amount):
    company.write("deals", [{"deal_id": "D1", "lead_id": "L1", "amount": amount}])
    company.check()
    assert company.reasons() == {"D1": "bad_number"}


def test_attributes_are_read_only_if_they_are_fixed_at_creation(company):
    company.write("leads", [{"lead_id": "L1", "created_at": "2024-01-01T00:00:00Z", "industry": "steel", "size": "9"}])
    company.write("touches", [company.touch("T1")])
    result = company.check()
    row = company.kept("leads")[0]
    assert row["industry"] == "steel"
    assert "size" not in row
    assert result.sources[0].columns_not_used == ("size",)


def test_a_missing_column_names_what_is_missing_and_what_is_there(company):
    company.write("touches", [{"id": "T1", "person": "L1", "kind": "open", "occurred_at": "2024-02-05T10:00:00Z"}])
    with pytest.raises(DataError, match=r"lacks the column lead_id; it has id, person, kind, occurred_at"):
        company.check()
    assert not company.out.exists()


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


def test_companies_may_be_older_than_the_web(company):
    company.write("accounts", [{"account_id": "A1", "created_at": "1985-01-01T00:00:00Z"}])
    company.write("changes", [
        {"lead_id": "", "account_id": "A1", "field": "size", "value": "3", "known_at": "2024-02-01T00:00:00Z"},
        {"lead_id": "", "account_id": "A9", "field": "size", "value": "3", "known_at": "2024-02-01T00:00:00Z"},
    ])  # fmt: skip
    result = company.check()
    assert result.table("accounts").rows == 1
    assert [r.code for r in result.reasons] == ["unknown_account"]


def test_words_of_the_playbook_are_trimmed_as_data_is(company):
    company.playbook_text = company.playbook_text.replace(
        'raw = ["Open Email"]', 'raw = [" Open Email ", "Open Email"]'
    )
    company.write("touches", [company.touch("T1", kind="Open Email ")])
    company.check()
    assert company.kept()[0]["kind"] == "open"
