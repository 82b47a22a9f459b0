"""Files and databases as they are found: odd names, odd places, and none of ours."""

from __future__ import annotations

import duckdb
import pytest

from touchline.features import DataError

LEADS_AND_TOUCHES = """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches.csv"
"""


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


def test_an_ignored_source_with_an_unknown_column_is_told(company):
    company.playbook_text += (
        LEADS_AND_TOUCHES + '[[sources]]\ntable = "ignored"\npath = "touches.csv"\nonly = { nosuch = ["x"] }\n'
    )
    with pytest.raises(DataError, match="lacks the column nosuch"):
        company.check()
