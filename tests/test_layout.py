"""The house stands as it was drawn: rooms, one-way imports, and nothing that belongs elsewhere."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import touchline

ROOT = Path(__file__).parents[1]
ROOMS = ["playbook", "features", "models", "serve", "pipelines"]
TOP = {*ROOMS, "notebooks", "benchmarks", "tests", "docs", "examples", "requirements", "src"}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this copy of the source is no git checkout")
    return listed.stdout.splitlines()


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_linked_mapped_into_the_wheel_and_says_what_it_is(room):
    link = ROOT / "src" / "touchline" / room
    assert link.is_symlink()
    assert link.resolve() == ROOT / room
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert room in hatch["only-include"]
    assert hatch["sources"][room] == f"touchline/{room}"
    words = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text()))
    assert words
    assert len(words.splitlines()[0]) < 120


@pytest.mark.parametrize("room", ROOMS)
def test_imports_between_rooms_point_one_way(room):
    allowed = set(ROOMS[: ROOMS.index(room) + 1])
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                if isinstance(node, ast.ImportFrom) and node.level:
                    pytest.fail(f"{path}: relative imports hide which room is meant")
                if match := re.match(r"touchline\.(\w+)", name):
                    assert match[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_the_top_level_holds_the_agreed_folders_only():
    folders = {path.split("/", 1)[0] for path in tracked() if "/" in path}
    assert {f for f in folders if not f.startswith(".")} <= TOP


def test_no_index_host_or_private_path_is_in_the_tree():
    """Assembled from pieces, so that this file does not hold what it looks for."""
    forbidden = ["index-" + "url http", "/sim" + "ple/", "registry" + ".npm", "pypi" + ".org"]
    for name in tracked():
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "ignore")
        for hint in forbidden:
            assert hint not in text, f"{name} holds {hint}"


def test_every_locked_package_has_a_hash():
    for lock in (ROOT / "requirements").glob("*.txt"):
        entries = re.split(r"\n(?=\S)", lock.read_text())
        pinned = [e for e in entries if re.match(r"[A-Za-z0-9_.-]+==", e)]
        assert pinned
        assert all("--hash=sha256:" in e for e in pinned), lock.name


def test_the_version_is_the_same_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == touchline.__version__


def test_files_stay_readable():
    for name in tracked():
        if name.endswith(".py") and name.split("/", 1)[0] in ROOMS:
            assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 320, name
