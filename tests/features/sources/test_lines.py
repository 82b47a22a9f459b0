"""CSV, line by line: every line of a file has one place, and can be found again."""

from __future__ import annotations

import pyarrow.parquet as pq


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
