"""The environments that peers run in: made once, with pip, apart from Touchline's and from each other."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
OWN = ""
"""Name of the environment that Touchline itself runs in."""


class NotInstalledError(Exception):
    """A peer's packages cannot be had; the message says why."""


def python_of(package: str, requirements: str, folder: Path) -> str:
    """The interpreter of an environment that holds a package, made if it is not there yet.

    Parameters
    ----------
    package, requirements
        What is asked for, and the name of a file beside this one that brings it; with OWN, what must be here already.
    folder
        Where environments are kept.

    Raises
    ------
    NotInstalledError
        If it cannot be made.
    """
    if requirements == OWN:
        if package and find_spec(package) is None:
            raise NotInstalledError(f"{package} is not in the environment of Touchline")
        return sys.executable
    wanted = HERE / requirements
    identity = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = folder / f"{wanted.stem}-{identity}"
    python = place / "bin" / "python"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        _call([sys.executable, "-m", "venv", str(place)])
        _call([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(wanted)])
        (place / "complete").touch()
    return str(python)


def version_of(requirements: str, package: str) -> str:
    """The version of a package that a file of requirements names; of OWN the one that is there."""
    if requirements == OWN:
        return metadata.version(package) if find_spec(package) else "missing"
    for line in (HERE / requirements).read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if name == package:
            return version
    raise LookupError(f"{requirements} does not name {package}")


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise NotInstalledError(next((line for line in lines if line.startswith("ERROR")), lines[-1]))
