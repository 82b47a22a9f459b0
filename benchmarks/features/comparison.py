"""Holding every peer's numbers against ours: the same rows, and in each of them the same value of every feature."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.features.feature_set import Feature

TOLERANCE = 1e-5
"""Relative, of what is not a whole number: ours are of single precision."""


def differences(ours: Path, theirs: Path, features: tuple[Feature, ...], scratch: Path) -> list[str]:
    """What differs, a line each; nothing if all is equal.

    Whole numbers and categories must be the same, other numbers within TOLERANCE, and what is missing in one must be
    missing in the other. Memory is bounded.

    Parameters
    ----------
    ours, theirs
        A Parquet file, or a folder of them, of lead_id, as_of and features.
    features
        Those that the peer computes.
    """
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET enable_progress_bar = false")
        con.execute(f"SET temp_directory = '{scratch / 'comparison.spill'}'")
        for name, place in (("ours", ours), ("theirs", theirs)):
            files = place / "*.parquet" if place.is_dir() else place
            con.execute(
                f"CREATE VIEW {name} AS SELECT * REPLACE (epoch_us(as_of) AS as_of) FROM read_parquet('{files}')"
            )
        found = _rows(con)
        present = {str(row[0]) for row in con.execute("DESCRIBE theirs").fetchall()}
        lacking = [f.name for f in features if f.name not in present]
        if found or lacking:
            return found + [f"{name} is not there" for name in lacking]
        return _values(con, features)


def _rows(con: duckdb.DuckDBPyConnection) -> list[str]:
    """What differs in the rows themselves; each lead and as_of must stand once on both sides."""
    found: list[str] = []
    for name, other in (("ours", "theirs"), ("theirs", "ours")):
        query = (
            f"SELECT count(*) - count(DISTINCT (lead_id, as_of)), (SELECT count(*) FROM {name} ANTI JOIN {other} "
            f"USING (lead_id, as_of)) FROM {name}"
        )
        ((again, alone),) = con.execute(query).fetchall()
        found += [f"{again:,} rows stand twice in {name}"] * bool(again)
        found += [f"{alone:,} rows are only in {name}"] * bool(alone)
    return found


def _values(con: duckdb.DuckDBPyConnection, features: tuple[Feature, ...]) -> list[str]:
    counts = [f"count(*) FILTER (WHERE NOT ({_same(f)})) AS {f.name}" for f in features]
    query = f"SELECT count(*), {', '.join(counts)} FROM ours o JOIN theirs t USING (lead_id, as_of)"
    ((rows, *unequal),) = con.execute(query).fetchall()
    return [
        f"{feature.name} differs in {many:,} of {rows:,} rows"
        for feature, many in zip(features, unequal, strict=True)
        if many
    ]


def _same(feature: Feature) -> str:
    """SQL for whether both sides have the same value; never NULL."""
    if feature.is_text:
        return f"o.{feature.name}::VARCHAR IS NOT DISTINCT FROM t.{feature.name}::VARCHAR"
    a, b = (f"nullif({side}.{feature.name}::DOUBLE, 'nan'::DOUBLE)" for side in "ot")
    if feature.is_whole:
        return f"{a} IS NOT DISTINCT FROM {b}"
    near = f"abs({a} - {b}) <= {TOLERANCE} * greatest(abs({a}), abs({b}))"
    return f"({a} IS NULL AND {b} IS NULL) OR coalesce({near}, false)"
