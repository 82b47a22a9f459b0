"""Bad input: a clear message, the right exit code, no traceback, nothing half-written."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from touchline.pipelines.exits import Exit


def touchline(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the real command line in a process of its own."""
    program = [sys.executable, "-c", "from touchline.pipelines.cli import main; main()"]
    return subprocess.run([*program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def check(company, tmp_path):
    """Write the company's playbook and run `touchline check` on its data."""

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        playbook = tmp_path / "playbook.toml"
        playbook.write_text(company.playbook_text.replace("max_share = 1", "max_share = 0.01"), encoding="utf-8")
        return touchline("check", "-p", playbook, "-d", company.folder, "-o", company.out, *more)

    return run


def no_touches(company):
    (company.folder / "touches.csv").unlink()


def empty_file(company):
    (company.folder / "touches.csv").write_bytes(b"")


def blank_header(company):
    (company.folder / "touches.csv").write_bytes(b"\n\n\n")


def only_a_header(company):
    (company.folder / "leads.csv").write_bytes(b"lead_id,created_at,industry\n")


def latin_letters(company):
    path = company.folder / "leads.csv"
    path.write_bytes(path.read_text().replace("steel", "café").encode("latin-1"))


def wrong_encoding(company):
    company.playbook_text += sources('encoding = "ascii"')
    path = company.folder / "touches.csv"
    path.write_text(path.read_text().replace(",a", ",é"), encoding="utf-8")


def cut_off_gzip(company):
    path = company.folder / "touches.csv"
    packed = gzip.compress(path.read_bytes() * 50)
    (company.folder / "touches.csv.gz").write_bytes(packed[: len(packed) // 2])
    path.unlink()


def damaged_gzip(company):
    path = company.folder / "touches.csv"
    packed = bytearray(gzip.compress(path.read_bytes() * 50))
    packed[-6] ^= 0xFF  # the checksum, as when a byte was changed on the way
    (company.folder / "touches.csv.gz").write_bytes(packed)
    path.unlink()


def to_parquet(company) -> Path:
    import duckdb

    target = company.folder / "touches.parquet"
    duckdb.sql(f"COPY (FROM '{company.folder / 'touches.csv'}') TO '{target}'")
    (company.folder / "touches.csv").unlink()
    return target


def cut_off_parquet(company):
    path = to_parquet(company)
    path.write_bytes(path.read_bytes()[:-200])


def damaged_parquet(company):
    path = to_parquet(company)
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196  # the footer is whole, the first page is not
    path.write_bytes(content)


def not_parquet(company):
    (company.folder / "touches.csv").rename(company.folder / "touches.parquet")


def missing_column(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text().replace("lead_id", "person"))


def twice_the_same_column(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text().replace("asset", "kind"))


def mixed_types(company):
    company.write("deals", [{"deal_id": f"D{n}", "lead_id": "L1", "amount": "1" if n else "one"} for n in range(5)])


def naive_times(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text().replace("Z", ""))


def too_many_fields(company):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text() + "T9,L1,2024-02-05T10:00:00Z,open,a,b,c\n")


def an_open_quote(company):
    path = company.folder / "touches.csv"
    path.write_text(
        path.read_text() + 'T9,L1,2024-02-05T10:00:00Z,open,"a\n' + "T10,L1,2024-02-05T11:00:00Z,open,a\n" * 9
    )


def the_same_table_twice(company):
    (company.folder / "touches.tsv").write_text("touch_id\n")


def not_a_csv(company):
    (company.folder / "touches.csv").write_bytes(bytes(range(256)) * 40)


def not_a_database(company):
    company.playbook_text += sources('relation = "touches"').replace("touches.csv", "t.duckdb")
    (company.folder / "t.duckdb").write_bytes(b"12345678DUCK" + b"x" * 100)


def sources(more: str) -> str:
    return f"""
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches.csv"
{more}
"""


CASES = [
    (no_touches, Exit.BAD_DATA, "there is no table touches"),
    (empty_file, Exit.BAD_DATA, "touches.csv: the file is empty"),
    (blank_header, Exit.BAD_DATA, "the first line, which should name the columns, is blank"),
    (only_a_header, Exit.BAD_DATA, "leads.csv: holds no row"),
    (latin_letters, Exit.BAD_DATA, "not_utf8"),
    (wrong_encoding, Exit.BAD_DATA, "holds bytes that are not ascii"),
    (cut_off_gzip, Exit.BAD_DATA, "touches.csv.gz: the gzip file is cut off or damaged"),
    (damaged_gzip, Exit.BAD_DATA, "touches.csv.gz: the gzip file is cut off or damaged"),
    (cut_off_parquet, Exit.BAD_DATA, "touches.parquet: the Parquet file is cut off or damaged"),
    (damaged_parquet, Exit.BAD_DATA, "touches.parquet: the file is damaged inside"),
    (not_parquet, Exit.BAD_DATA, "the file is named Parquet but is none"),
    (missing_column, Exit.BAD_DATA, "lacks the column lead_id; it has touch_id, person"),
    (twice_the_same_column, Exit.BAD_DATA, "bears the name of another one"),
    (mixed_types, Exit.BAD_DATA, "bad_number"),
    (naive_times, Exit.BAD_DATA, "naive_time"),
    (too_many_fields, Exit.BAD_DATA, "too_many_fields"),
    (an_open_quote, Exit.BAD_DATA, "swallowed_by_quotes"),
    (the_same_table_twice, Exit.BAD_DATA, "the table touches is there more than once"),
    (not_a_csv, Exit.BAD_DATA, "touches.csv"),
    (not_a_database, Exit.BAD_DATA, "the DuckDB file cannot be opened"),
]


@pytest.mark.parametrize(("damage", "code", "message"), CASES, ids=[case[0].__name__ for case in CASES])
def test_bad_data_is_explained(company, check, damage, code, message):
    damage(company)
    ended = check()
    said = ended.stdout + ended.stderr
    assert ended.returncode == code, said
    assert message in said
    assert "Traceback" not in said
    assert not company.out.exists()
    leftovers = [p.name for p in company.out.parent.iterdir() if p.name.startswith(".tables") and p.suffix != ".lock"]
    assert leftovers == []


def test_good_data_is_good(company, check):
    ended = check()
    assert ended.returncode == 0, ended.stderr
    assert "All good" not in ended.stdout
    assert "Written to" in ended.stdout


FIVE_ERRORS = """
name = "Test"
languages = ["en", "fr"]
[outcome]
horizon = "90 days"
[snapshots]
active_within = "30d"
evrey = "week"
[handoff]
sla = "1d"
[[stages]]
name = "lead"
role = "leed"
owner = "marketing"
words = { en = "Lead", fr = "Contact" }
[families.web]
words = { en = "Web", fr = "Web" }
[kinds.visit]
family = "wbe"
direction = "inbound"
engagement = true
words = { en = "visited" }
"""


def test_a_playbook_with_many_errors_tells_them_all_with_lines_and_ways_to_mend(tmp_path):
    path = tmp_path / "playbook.toml"
    path.write_text(FIVE_ERRORS)
    ended = touchline("check", "-p", path, "-d", tmp_path)
    assert ended.returncode == Exit.BAD_PLAYBOOK
    assert "Traceback" not in ended.stderr
    for line, part in (
        (5, "`outcome.horizon` is not a duration"),
        (8, "`snapshots.evrey` is not a key of the playbook. To mend it, write `every`"),
        (9, "`handoff` needs exactly one of `capacity` and `threshold`"),
        (13, "`stages[1].role` has a value that is not allowed"),
        (19, "`kinds.visit.family` names the family `wbe`, which does not exist. To mend it, use one of web"),
        (22, "`kinds.visit.words` has no words in fr"),
    ):
        assert f"line {line}: {part}" in ended.stderr


def test_usage_errors_end_with_code_2(company, tmp_path):
    assert touchline("chek").returncode == Exit.USAGE
    assert touchline("check").returncode == Exit.USAGE
    (tmp_path / "playbook.toml").write_text(company.playbook_text)
    ended = touchline("check", "-p", tmp_path / "playbook.toml", "-d", company.folder, "--memory", "lots")
    assert ended.returncode == Exit.USAGE
    assert "write it as 1GB" in ended.stderr


def test_a_data_folder_that_is_not_there_is_said(company, check):
    ended = touchline("check", "-p", tmp(company), "-d", company.folder / "nowhere")
    assert ended.returncode == Exit.BAD_DATA
    assert "there is no such folder" in ended.stderr


def tmp(company) -> Path:
    path = company.folder.parent / "playbook.toml"
    path.write_text(company.playbook_text)
    return path


def test_a_missing_playbook_is_said_with_the_way_to_get_one(tmp_path):
    ended = touchline("check", "-p", tmp_path / "none.toml", "-d", tmp_path)
    assert ended.returncode == Exit.BAD_PLAYBOOK
    assert "touchline playbook new" in ended.stderr


def test_a_folder_of_somebody_elses_files_is_never_overwritten(company, check):
    company.out.mkdir()
    (company.out / "thesis.txt").write_text("ten years of work")
    ended = check()
    assert ended.returncode == Exit.BAD_DATA
    assert "holds files that Touchline did not write" in ended.stderr
    assert (company.out / "thesis.txt").read_text() == "ten years of work"
