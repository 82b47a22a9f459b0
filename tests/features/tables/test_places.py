"""Results go where they were asked to, all or none, and nobody's files are touched."""

from __future__ import annotations

import json

import pytest

from touchline.features import DataError, Tables


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


def test_written_json_is_json(company):
    company.check()
    for name in ("manifest.json", "playbook.json"):
        json.loads((company.out / name).read_text(), parse_constant=pytest.fail)
