"""A real PostgreSQL server, started by the test where Debian's package (or another) is installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from touchline.features import DataError

SOURCES = """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "postgresql://touchline:${TOUCHLINE_TEST_PASSWORD}@127.0.0.1:%d/crm"
relation = "marketing.%s"
"""
SETUP = """
CREATE SCHEMA marketing;
CREATE TABLE marketing.activities (
    touch_id bigint, lead_id text, occurred_at timestamptz, kind text, machine boolean, campaign varchar(20)
);
INSERT INTO marketing.activities VALUES
    (1, 'L1', '2024-02-01 10:00+01', 'Open Email', NULL, 'spring'),
    (2, 'L2', '2024-02-02 10:00+01', 'click', true, NULL),
    (3, 'L9', '2024-02-02 10:00+01', 'click', false, NULL);
"""


def tools() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found := shutil.which("pg_ctl"):
        places.insert(0, Path(found).resolve().parent)
    places = [p for p in places if all((p / tool).exists() for tool in ("initdb", "pg_ctl", "psql", "postgres"))]
    if not places:
        pytest.skip("PostgreSQL is not installed here")
    return places[-1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The port of a server of our own, on loopback, with a database crm and a user who needs a password."""
    bin_folder = tools()
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

    def run(*command: str, **more) -> None:
        ended = subprocess.run(
            command, cwd=home, capture_output=True, text=True, check=False, timeout=60, **as_user, **more
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    (home / "password").write_text("secret")
    run(
        str(bin_folder / "initdb"),
        "-D",
        "data",
        "-U",
        "touchline",
        "--auth=scram-sha-256",
        "--pwfile=password",
        "-E",
        "UTF8",
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    with (home / "log").open("w") as log:  # pg_ctl hands our pipes on to the server, which would keep them open
        started = [str(bin_folder / "pg_ctl"), "-D", "data", "-w", "-o", options, "-l", "server.log", "start"]
        subprocess.run(started, cwd=home, stdout=log, stderr=log, check=True, timeout=60, **as_user)
    try:
        psql = [
            str(bin_folder / "psql"),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-U",
            "touchline",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        environment = {"PGPASSWORD": "secret", "PATH": os.environ["PATH"]}
        run(*psql, "-d", "postgres", "-c", "CREATE DATABASE crm", env=environment)
        run(*psql, "-d", "crm", "-c", SETUP, env=environment)
        yield port
    finally:
        subprocess.run(
            [str(bin_folder / "pg_ctl"), "-D", "data", "-m", "immediate", "stop"],
            cwd=home, capture_output=True, check=False, timeout=60, **as_user,
        )  # fmt: skip


def test_a_table_of_a_server_is_read_with_its_own_types(company, server, monkeypatch):
    monkeypatch.setenv("TOUCHLINE_TEST_PASSWORD", "secret")
    company.playbook_text += SOURCES % (server, "activities")
    result = company.check()
    assert [(t["touch_id"], t["occurred_at"].hour, t["machine"]) for t in company.kept()] == [
        ("1", 9, False),
        ("2", 9, True),
    ]
    assert company.reasons() == {"3": "unknown_lead"}
    assert all(source.adds_up for source in result.sources)


def test_what_a_server_refuses_is_said_without_the_password(company, server, monkeypatch):
    monkeypatch.setenv("TOUCHLINE_TEST_PASSWORD", "secret")
    plain = company.playbook_text
    company.playbook_text = plain + SOURCES % (server, "nothing")
    with pytest.raises(DataError, match=r"table marketing.nothing cannot be read"):
        company.check()
    monkeypatch.setenv("TOUCHLINE_TEST_PASSWORD", "wrong-secret")
    company.playbook_text = plain + SOURCES % (server, "activities")
    with pytest.raises(DataError, match="cannot be reached") as caught:
        company.check()
    assert "wrong-secret" not in str(caught.value)
