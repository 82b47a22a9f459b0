"""What tests of the store share: both databases, empty for each test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from touchline.serve.store import Store


def _tools() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found := shutil.which("pg_ctl"):
        places.insert(0, Path(found).resolve().parent)
    places = [p for p in places if all((p / tool).exists() for tool in ("initdb", "pg_ctl", "postgres"))]
    if not places:
        pytest.skip("PostgreSQL is not installed here")
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed here: pip install touchline[postgres]")
    return places[-1]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server of our own on loopback; yields an address without a database's name."""
    tools = _tools()
    home = tmp_path_factory.mktemp("postgresql")
    as_user: dict[str, str] = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user = {"user": "postgres", "group": "postgres"}
        shutil.chown(home, "postgres", "postgres")
        for parent in list(home.parents)[:3]:
            parent.chmod(parent.stat().st_mode | 0o055)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (home / "password").write_text("sesame")
    own = {"cwd": home, "timeout": 60, **as_user}
    with (home / "log").open("w") as log:
        initdb = [str(tools / "initdb"), "-D", "data", "-U", "touchline", "--auth=scram-sha-256",
                  "--pwfile=password", "-E", "UTF8"]  # fmt: skip
        subprocess.run(initdb, stdout=log, stderr=log, check=True, **own)
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
        start = [str(tools / "pg_ctl"), "-D", "data", "-w", "-o", options, "-l", "server.log", "start"]
        subprocess.run(start, stdout=log, stderr=log, check=True, **own)
    try:
        yield f"postgresql://touchline:sesame@127.0.0.1:{port}"
    finally:
        stop = [str(tools / "pg_ctl"), "-D", "data", "-m", "immediate", "stop"]
        subprocess.run(stop, capture_output=True, check=False, **own)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_address(request, tmp_path) -> Callable[[], str]:
    """Gives addresses of empty places, on each of the databases."""

    def make() -> str:
        name = f"t{uuid.uuid4().hex[:12]}"
        if request.param == "sqlite":
            return str(tmp_path / f"{name}.db")
        import psycopg

        base = request.getfixturevalue("server")
        with psycopg.connect(f"{base}/postgres", autocommit=True) as con:
            con.execute(f"CREATE DATABASE {name}")
        return f"{base}/{name}"

    return make


@pytest.fixture
def address(new_address) -> str:
    return new_address()


@pytest.fixture
def store(address):
    with Store.open(address) as opened:
        yield opened
