"""The docs are true: commands run, links lead somewhere, reference pages are what the code says."""

from __future__ import annotations

import doctest
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"


@pytest.mark.parametrize(
    "pages",
    [
        ["docs/tutorial/first-hour.md"],
        ["docs/how-to/your-own-export.md"],
        ["docs/how-to/your-own-features.md"],
        ["docs/how-to/train-and-promote.md", "docs/how-to/explain-a-lead.md"],  # goes on where the other ends
    ],
    ids=lambda pages: pages[-1],
)
def test_what_a_page_shows_can_be_done(pages, tmp_path):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    steps = 0
    shown = "".join((ROOT / page).read_text(encoding="utf-8") for page in pages)
    for language, file, body in FENCE.findall(shown):
        if file:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(body, encoding="utf-8")
            continue
        command = {"sh": ["bash", "-e"], "python": [sys.executable]}[language]
        ended = subprocess.run(
            command, input=body, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert ended.returncode == 0, f"{body}\n{ended.stdout}{ended.stderr}"
        steps += 1
    assert steps
    assert (tmp_path / "tables" / "manifest.json").exists()


def test_the_export_of_the_how_to_comes_out_as_it_says(tmp_path):
    test_what_a_page_shows_can_be_done(["docs/how-to/your-own-export.md"], tmp_path)
    from touchline.features import Tables

    tables = Tables.open(tmp_path / "tables")
    touches = tables.arrow("touches").to_pylist()
    assert [t["touch_id"] for t in touches if t["machine"]] == ["2"]
    assert {d["deal_id"]: (d["outcome"], d["amount"]) for d in tables.arrow("deals").to_pylist()} == {
        "O-1": ("won", 18000.0),
        "O-2": ("lost", None),
    }
    assert [lead["employees"] for lead in tables.arrow("leads").to_pylist()] == [1200.0, 12.0, 340.0]
    assert tables.arrow("leads").to_pylist()[0]["created_at"].hour == 8  # nine o'clock in Paris, in winter


def test_examples_of_the_scales_are_true():
    page = (ROOT / "docs" / "reference" / "scales.md").read_text(encoding="utf-8")
    examples = "\n".join(body for language, _, body in FENCE.findall(page) if language == "python")
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(examples, {}, "scales.md", None, 0))
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries > 10


def test_readme_commands_are_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_reference_pages_say_what_the_code_says():
    generate = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    for name in ("tables", "playbook", "leaks", "features"):
        page = generate[f"{name}_page"]()
        written = (ROOT / "docs" / "reference" / f"{name}.md").read_text(encoding="utf-8")
        assert written == page, "run `python docs/generate.py`"
