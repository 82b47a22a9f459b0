"""The command line as a new user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from touchline.pipelines.exits import Exit

PROGRAM = [sys.executable, "-c", "from touchline.pipelines.cli import main; main()"]
ROOT = Path(__file__).parents[2]


def touchline(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


def test_help_loads_nothing_heavy():
    probe = (
        "import sys; from touchline.pipelines.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'pandas', 'numpy', 'pyarrow', 'pydantic', 'numba', 'rich', 'mlflow', 'lightgbm', 'shap'}\n"
        "sys.stderr.write(repr(sorted(heavy & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert ended.stderr == "[]"
    for command in ("check", "simulate", "demo", "doctor", "playbook"):
        assert command in ended.stdout


def test_every_exit_code_is_documented():
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    for code in Exit:
        assert f"| {code.value} |" in text
    for command in ("check", "simulate", "demo", "doctor", "playbook new", "playbook check", "playbook schema"):
        assert f"`touchline {command}`" in text


def test_a_new_playbook_is_written_once_and_is_good(tmp_path):
    assert touchline("playbook", "new", cwd=tmp_path).returncode == 0
    written = (tmp_path / "playbook.toml").read_text(encoding="utf-8")
    assert written.startswith("#:schema ./playbook.schema.json")
    json.loads((tmp_path / "playbook.schema.json").read_text(encoding="utf-8"))
    again = touchline("playbook", "new", cwd=tmp_path)
    assert again.returncode == Exit.USAGE
    assert "left as it is" in again.stderr
    checked = json.loads(touchline("playbook", "check", tmp_path / "playbook.toml", "--json").stdout)
    assert checked["ok"]


def test_problems_of_a_playbook_are_given_as_json_too(tmp_path):
    (tmp_path / "p.toml").write_text('name = "x"\n')
    ended = touchline("playbook", "check", tmp_path / "p.toml", "--json")
    assert ended.returncode == Exit.BAD_PLAYBOOK
    given = json.loads(ended.stdout)
    assert "languages" in {problem["key"] for problem in given["problems"]}
    assert all(problem["fix"] for problem in given["problems"])


def test_simulate_and_check_work_from_an_empty_folder(tmp_path):
    assert touchline("simulate", "--out", "data", "--leads", 300, cwd=tmp_path).returncode == 0
    touchline("playbook", "new", cwd=tmp_path)
    ended = touchline("check", "-p", "playbook.toml", "-d", "data", "-o", "tables", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "adds up" in ended.stdout
    assert (tmp_path / "tables" / "touches.parquet").exists()
    assert "Traceback" not in ended.stderr


def test_the_demo_can_be_run_again(tmp_path):
    for _ in range(2):
        ended = touchline("demo", "--leads", 300, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert "Written to demo/tables" in ended.stdout


def test_the_doctor_finds_everything_in_order():
    given = json.loads(touchline("doctor", "--json").stdout)
    assert given["ok"], [f for f in given["findings"] if not f["ok"]]


def test_output_is_plain_where_no_terminal_is(company, tmp_path):
    (tmp_path / "p.toml").write_text(company.playbook_text)
    ended = touchline(
        "check", "-p", tmp_path / "p.toml", "-d", company.folder, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    assert ended.returncode == 0, ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
