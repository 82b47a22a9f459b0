"""The schema: made once whoever comes first, brought up from older ones, and kept from those it does not know."""

from __future__ import annotations

import runpy
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from touchline.serve.store import Store, StoreError
from touchline.serve.store.database import connect
from touchline.serve.store.schema import VERSIONS, bring_up, newest_revision
from touchline.serve.store.tables import metadata

making = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("making.py"))))


def test_the_migrations_make_the_tables_that_the_code_knows(store):
    with store._database.reading() as con:
        context = MigrationContext.configure(con, opts={"version_table": VERSIONS, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_several_processes_may_open_a_new_store_at_once(address):
    code = "import sys; from touchline.serve.store import Store; sys.stdin.read(); Store.open(sys.argv[1]).close()"
    command = [sys.executable, "-c", code, address]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:  # all of them have imported what they need, and wait for the end of their input
        process.stdin.close()
    for process in started:
        assert process.wait(60) == 0, process.stderr.read()
        process.stderr.close()
    with Store.open(address) as store:
        assert store.check().problems == ()
        assert store.check().revision == newest_revision()


def test_a_store_of_the_first_revision_is_brought_up_with_all_it_holds(address):
    database = connect(address)
    bring_up(database, "0001")
    old = Store(database)
    made = making.publish(old, making.full(["a", "b"]))
    assert "open the store again" in " ".join(old.check().problems)
    old.close()
    with Store.open(address) as store:
        assert store.check().revision == newest_revision() == "0002"
        assert store.check().problems == ()
        assert store.latest() == made
        assert store.lead("b").part.reasons.num_rows == 2
        store.watch("anna", "a")


def test_a_store_of_a_newer_touchline_is_refused_and_left_alone(address):
    with Store.open(address) as store, store._database.changing() as con:
        con.exec_driver_sql(f"UPDATE {VERSIONS} SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer Touchline"):
        Store.open(address)
    database = connect(address)
    with database.reading() as con:
        assert con.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}").scalar() == "9999"
    database.engine.dispose()


def test_somebody_elses_tables_are_left_alone(new_address):
    address = new_address()
    database = connect(address)
    if database.path is None:
        pytest.skip("on a server the store has a schema of its own")
    with database.changing() as con:
        con.exec_driver_sql("CREATE TABLE theirs (x INTEGER)")
    with pytest.raises(StoreError, match="did not make"):
        Store.open(address)
    database.engine.dispose()


def test_a_file_of_the_store_is_its_owners_alone(tmp_path):
    path = tmp_path / "scores.db"
    with Store.open(path) as store:
        making.publish(store, making.full(["a"]))
        files = [f for f in tmp_path.iterdir() if f.name.startswith("scores.db")]
        assert len(files) == 3
        assert all(stat.S_IMODE(f.stat().st_mode) == 0o600 for f in files)
        path.chmod(0o644)
        assert "chmod 600" in store.check().problems[0]


def test_what_is_no_store_is_said_so(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at " * 100)
    for address, told in (
        (tmp_path / "text.db", "no database"),
        (tmp_path / "nowhere" / "s.db", "no folder"),
        (tmp_path, "cannot be opened"),
        ("mysql://u@h/d", "cannot be kept in mysql"),
        ("postgresql://u:geheim@127.0.0.1:port/x", "address cannot be read"),
    ):
        with pytest.raises(StoreError, match=told) as caught:
            Store.open(address)
        assert "geheim" not in str(caught.value)


def test_a_server_that_refuses_is_named_without_the_password(server):
    wrong = server.replace("sesame", "geheim")
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Store.open(f"{wrong}/postgres")
    assert "geheim" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_errors_of_the_database_do_not_quote_rows(store):
    making.publish(store, making.full(["x-17"]))
    with pytest.raises(StoreError) as caught, store._database.changing() as con:
        con.exec_driver_sql("INSERT INTO scores (batch, row, lead_id) VALUES (1, 0, 'x-17')")
    assert "x-17" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_store_that_does_not_answer_is_worth_another_try():
    from touchline.pipelines.exits import Exit
    from touchline.pipelines.failures import explain

    with pytest.raises(StoreError) as caught:
        Store.open("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    assert explain(caught.value)[0] is Exit.TRY_LATER
