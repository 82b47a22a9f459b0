"""The check as a job: it can be repeated, interrupted and killed, and two of it do not get in each other's way."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from touchline.features import Tables
from touchline.features.sources.simulated import simulate
from touchline.pipelines.exits import Exit
from touchline.playbook import starter_text

PROGRAM = [sys.executable, "-c", "from touchline.pipelines.cli import main; main()"]


def touchline(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A folder with a playbook and enough data for a check of a few seconds."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "playbook.toml").write_text(starter_text(), encoding="utf-8")
    simulate(folder / "data", leads=15_000, seed=1)
    return folder


@pytest.fixture
def out(home, tmp_path) -> Path:
    return tmp_path / "tables"


def arguments(home: Path, out: Path) -> list[object]:
    return ["check", "-p", home / "playbook.toml", "-d", home / "data", "-o", out]


def start(home: Path, out: Path) -> subprocess.Popen[str]:
    """A check under way: its scratch folder is there."""
    job = subprocess.Popen(
        [*PROGRAM, *map(str, arguments(home, out))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not scratch(out).exists():
        assert job.poll() is None, job.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return job


def scratch(out: Path) -> Path:
    return out.with_name(f".{out.name}.scratch")


def test_the_same_check_again_gives_the_same_digest_in_json(home, out):
    first = json.loads(touchline(*arguments(home, out), "--json").stdout)
    second = json.loads(touchline(*arguments(home, out), "--json").stdout)
    assert first["ok"]
    assert first["data_digest"] == second["data_digest"]
    assert first == second
    manifest = Tables.open(out).manifest
    assert manifest["result"]["playbook_digest"] == first["playbook_digest"]
    assert set(manifest["tables"]) == {"leads", "touches", "deals", "stages", "changes", "accounts", "assets"}


def test_a_second_job_on_the_same_folder_is_told_to_try_later(home, out):
    first = start(home, out)
    second = touchline(*arguments(home, out))
    assert second.returncode == Exit.TRY_LATER
    assert "another job is writing" in second.stderr
    _, said = first.communicate(timeout=120)
    assert first.returncode == 0, said
    Tables.open(out).verify()


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_stops_cleanly_within_seconds(home, out, asked):
    touchline(*arguments(home, out))
    before = (out / "manifest.json").read_bytes()
    job = start(home, out)
    time.sleep(0.3)
    job.send_signal(asked)
    since = time.monotonic()
    _, said = job.communicate(timeout=60)
    assert job.returncode == 128 + asked
    assert time.monotonic() - since < 10
    assert "Traceback" not in said
    assert not scratch(out).exists()
    assert (out / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("moment", [0.0, 0.4, 0.9])
def test_killed_at_any_moment_the_next_run_completes_and_the_old_tables_stay(home, out, moment):
    touchline(*arguments(home, out))
    job = start(home, out)
    time.sleep(moment)
    job.kill()
    job.communicate()
    Tables.open(out).verify()
    assert touchline(*arguments(home, out)).returncode == 0
    Tables.open(out).verify()
    assert not scratch(out).exists()


def test_without_room_on_the_disk_the_old_tables_stay(home, out):
    touchline(*arguments(home, out))
    before = (out / "manifest.json").read_bytes()

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    ended = touchline(*arguments(home, out), preexec_fn=little_room)
    assert ended.returncode == Exit.TRY_LATER, ended.stderr
    assert "disk is full" in ended.stderr
    assert (out / "manifest.json").read_bytes() == before
    assert not scratch(out).exists()
