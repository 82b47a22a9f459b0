"""The package as others get it: wheel, sdist and editable install, each used from a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ["playbook", "features", "models", "serve", "pipelines"]

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
USE = """
import sys
from importlib.resources import files
import touchline, touchline.models, touchline.serve
from touchline.playbook import starter_playbook
from touchline.features import check_tables
assert starter_playbook().digest
assert files("touchline").joinpath("py.typed").is_file()
assert "features" not in sys.modules and "models" not in sys.modules
print(touchline.__file__)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of what git would hand out, so that nothing untracked helps."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this copy of the source is no git checkout")
    copy = tmp_path_factory.mktemp("source") / "touchline"
    for name in listed.stdout.splitlines():
        here, there = ROOT / name, copy / name
        if not here.is_symlink() and not here.exists():
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        if here.is_symlink():
            there.symlink_to(here.readlink())
        else:
            there.write_bytes(here.read_bytes())
    return copy


@pytest.fixture(scope="module")
def built(source) -> Path:
    """sdist, and the wheel built from the sdist."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist"], source)
    return source / "dist"


def run(command: list[str], cwd: Path) -> str:
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def fresh_environment(folder: Path) -> Path:
    """A new environment that sees the dependencies of this one, but not its Touchline."""
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)], folder.parent)
    python = folder / "bin" / "python"
    site = run([str(python), "-c", "import site; print(site.getsitepackages()[0])"], folder).strip()
    ours = [p for p in sys.path if p.endswith("site-packages")]
    linked = Path(site) / "dependencies"
    linked.mkdir()
    for entry in Path(ours[0]).iterdir():
        if "touchline" not in entry.name and not entry.name.endswith(".pth"):
            (linked / entry.name).symlink_to(entry)
    (Path(site) / "dependencies.pth").write_text(str(linked))
    return python


def use(python: Path, cwd: Path) -> str:
    """Import every room and run the command line, from a folder that is not the source."""
    where = run([str(python), "-I", "-c", USE], cwd).strip()
    script = python.with_name("touchline")
    assert "check" in run([str(script), "--help"], cwd)
    run([str(script), "playbook", "new", "p.toml"], cwd)
    run([str(script), "playbook", "check", "p.toml"], cwd)
    return where


def install(python: Path, *what: str) -> None:
    run([*PIP, "--python", str(python), "install", "--quiet", "--no-index", "--no-deps", *what], ROOT)


@pytest.fixture(autouse=True)
def tools_of_this_environment(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


def test_the_wheel_holds_the_rooms_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"touchline"}
    for room in ROOMS:
        assert f"touchline/{room}/__init__.py" in names
    assert "touchline/playbook/starter.toml" in names
    assert "touchline/py.typed" in names
    assert not [n for n in names if "__pycache__" in n or "/tests/" in n]


def test_the_sdist_holds_what_builds_and_tests_it(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "tests/test_layout.py", "playbook/starter.toml"} <= names


def test_the_wheel_works_where_the_source_is_not(built, tmp_path):
    python = fresh_environment(tmp_path / "venv")
    (wheel,) = built.glob("*.whl")
    install(python, str(wheel))
    assert str(tmp_path / "venv") in use(python, tmp_path)


def test_the_sdist_installs_and_works(built, tmp_path):
    python = fresh_environment(tmp_path / "venv")
    (sdist,) = built.glob("*.tar.gz")
    install(python, "--no-build-isolation", str(sdist))
    assert str(tmp_path / "venv") in use(python, tmp_path)


def test_the_editable_install_works_and_sees_new_files(source, tmp_path):
    python = fresh_environment(tmp_path / "venv")
    install(python, "--no-build-isolation", "-e", str(source))
    assert use(python, tmp_path) == str(source / "src" / "touchline" / "__init__.py")
    (source / "models" / "newcomer.py").write_text("ANSWER = 42\n")
    said = run([str(python), "-I", "-c", "from touchline.models.newcomer import ANSWER; print(ANSWER)"], tmp_path)
    assert said.strip() == "42"
    (source / "models" / "newcomer.py").unlink()
