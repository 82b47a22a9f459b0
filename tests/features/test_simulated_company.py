"""The starter playbook, the simulator and the check belong together: what was planted is found, and nothing else is."""

from __future__ import annotations

import duckdb
import pytest

from touchline.features import Tables, check_tables
from touchline.features.sources.simulated import Simulation, Traps, simulate
from touchline.playbook import starter_playbook


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """A company with every trap."""
    return simulate(tmp_path_factory.mktemp("trapped"), leads=2_000, seed=3, traps=Traps(duplicates=True, merges=True))


def test_a_clean_simulation_passes_without_a_word(tmp_path):
    clean = Traps(late_facts=False, scanners=False, leaky_field=False)
    simulate(tmp_path / "data", leads=1_000, seed=5, traps=clean)
    result = check_tables(starter_playbook(), tmp_path / "data", out=tmp_path / "tables")
    assert result.ok
    assert not result.reasons
    assert result.table("touches").machine == 0
    assert all(source.adds_up and not source.columns_not_used for source in result.sources)
    tables = Tables.open(tmp_path / "tables")
    assert {name: tables.rows(name) for name in ("leads", "touches", "deals")} == {
        t.name: t.rows for t in result.tables if t.name in ("leads", "touches", "deals")
    }


def test_every_planted_trap_is_found_and_nothing_else(trapped, tmp_path):
    result = check_tables(starter_playbook(), trapped.path, out=tmp_path / "tables")
    assert result.ok
    planted = trapped.planted
    found = {r.code: r.rows for r in result.reasons}
    assert found == {
        "duplicate_delivery": planted.duplicate_deliveries,
        "duplicate_content": planted.duplicate_contents,
    }
    touches = tmp_path / "tables" / "touches.parquet"
    machines = dict(
        duckdb.sql(
            f"SELECT kind, count(*) FROM '{touches}' WHERE machine AND merged_from IS NULL GROUP BY 1"
        ).fetchall()
    )
    assert machines == {"email_open": planted.scanner_opens, "email_click": planted.scanner_clicks}
    assert result.table("touches").from_merges == planted.merged_touches
    (late,) = duckdb.sql(
        f"SELECT count(*) FROM '{touches}' WHERE merged_from IS NULL AND date_trunc('week', known_at) > "
        "date_trunc('week', occurred_at)"
    ).fetchall()
    assert late == (planted.late_facts,)
    assert result.sources[0].columns_not_used == ("phone_filled",)


def test_the_form_and_order_of_the_input_change_no_byte_of_the_tables(trapped, tmp_path):
    """Parquet, gzipped CSV in many files, DuckDB and SQLite; as written, and shuffled: the tables are bit-identical."""
    pytest.importorskip("adbc_driver_sqlite")
    first = check_tables(starter_playbook(), trapped.path, memory="1GB")
    csv, database, lite = tmp_path / "csv", tmp_path / "company.duckdb", tmp_path / "company.sqlite"
    csv.mkdir()
    con = duckdb.connect(str(database))
    con.execute("SET TimeZone = 'UTC'; SELECT setseed(0.5)")
    for file in sorted(trapped.path.glob("*.parquet")):
        con.execute(f"CREATE TABLE {file.stem} AS FROM '{file}' ORDER BY random()")
        if file.stem == "touches":
            (csv / "touches").mkdir()
            for part in range(3):
                con.execute(
                    f"COPY (FROM touches WHERE hash(touch_id) % 3 = {part} ORDER BY random()) "
                    f"TO '{csv}/touches/part{part}.csv.gz'"
                )
        else:
            con.execute(f"COPY {file.stem} TO '{csv}/{file.stem}.csv' (DELIMITER ';')")
    export_to_sqlite(con, [f.stem for f in trapped.path.glob("*.parquet")], lite)
    con.close()
    for data, memory in ((csv, "1GB"), (database, "300MB"), (lite, "1GB")):
        again = check_tables(starter_playbook(), data, memory=memory)
        assert again.data_digest == first.data_digest, data.name
        assert again.reasons == first.reasons


def export_to_sqlite(con: duckdb.DuckDBPyConnection, tables: list[str], path) -> None:
    import sqlite3

    with sqlite3.connect(path) as lite:
        for table in tables:
            columns = [name for name, *_ in con.execute(f"DESCRIBE {table}").fetchall()]
            lite.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
            cast = ", ".join(f"{c}::VARCHAR" for c in columns)
            rows = con.execute(f"SELECT {cast} FROM {table}").fetchall()
            lite.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)
    lite.close()


def test_a_table_that_was_changed_afterwards_is_noticed(trapped, tmp_path):
    from touchline.features import DataError

    check_tables(starter_playbook(), trapped.path, out=tmp_path / "tables")
    tables = Tables.open(tmp_path / "tables")
    tables.verify()
    file = tables.file("deals")
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(DataError, match="is not the file that was written"):
        tables.verify()
