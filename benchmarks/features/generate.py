"""Generating the touches: many for some leads and few for most, over two years, in order of time.

Leads are made a chunk at a time and put in order of time by DuckDB, which spills, so that memory stays the same however
many touches there are. The same number of touches gives the same touches.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from benchmarks.features.feature_set import CHANNELS, DAY, KINDS
from touchline.features.tables.publish import FORMAT, MANIFEST
from touchline.playbook.contracts import TABLES

I64 = NDArray[np.int64]
TOUCHES_EACH = 100
"""Touches per lead, on average."""
SPREAD = 1.2
"""Of the logarithm of a lead's touches: the median lead has half the average, one in a hundred eight times as many."""
LEADS_EACH = 4
"""Leads per account, on average."""
CAMPAIGNS = 200
KIND_SHARES = (0.34, 0.12, 0.36, 0.05, 0.04, 0.05, 0.03, 0.01)
CHANNEL_SHARES = (0.35, 0.33, 0.08, 0.07, 0.10, 0.07)
AT_MIDNIGHT = 0.01
"""Share of touches at an instant on which a window may begin or end, to see that all put them on the same side."""
ACTIVE_WITHIN = 90
"""Rows are about leads that were touched in so many days before as_of."""
_CHUNK = 20_000
_UNIX = date(1970, 1, 1)
BEGIN, END = ((date(year, 1, 1) - _UNIX).days * DAY for year in (2024, 2026))
MONTHS = [(date(2025, month, 1) - _UNIX).days * DAY for month in range(1, 13)]
WEEKS = [(date(2025, 1, 6) - _UNIX).days * DAY + 7 * DAY * week for week in range(52)]
SHAPES = ("monthly", "weekly", "per-row")
"""As-of dates: 12 firsts of the month, 52 Mondays, or an instant of its own for each row."""


@dataclass(frozen=True)
class Leads:
    """For each lead its account, when it came to exist (microseconds UTC), and its number of touches."""

    account: I64
    created: I64
    touches: I64


def draw_leads(rng: np.random.Generator, touches: int) -> Leads:
    """Leads that have `touches` touches in all, each at least one."""
    leads = max(1, touches // TOUCHES_EACH)
    accounts = max(1, leads // LEADS_EACH)
    weight = rng.lognormal(0, SPREAD, leads)
    counts = rng.multinomial(touches - leads, weight / weight.sum()) + 1
    account = (accounts * rng.power(1.5, leads)).astype(np.int64)
    return Leads(account, rng.integers(BEGIN, END - 60 * DAY, leads), counts)


def draw_times(rng: np.random.Generator, created: I64, counts: I64) -> I64:
    """The times of some leads' touches, in order of lead and time; no two of a lead are the same.

    The first comes when the lead does, the others thin out over a year.
    """
    begin = np.repeat(created, counts)
    left = END - 1 - begin
    after = rng.exponential(150 * DAY, len(begin))
    times = begin + np.where(after < left, after, rng.random(len(begin)) * left).astype(np.int64)
    midnight = times // DAY * DAY
    times = np.where((rng.random(len(begin)) < AT_MIDNIGHT) & (midnight > begin), midnight, times)
    first = np.cumsum(counts) - counts
    times[first] = created
    lead = np.repeat(np.arange(len(counts)), counts)
    times = times[np.lexsort((times, lead))]
    same_lead = lead[1:] == lead[:-1]
    while (again := same_lead & (times[1:] <= times[:-1])).any():
        times[1:][again] += 1
    return times


def draw_touches(rng: np.random.Generator, leads: Leads, begin: int, end: int) -> pa.Table:
    """The touches of leads `begin` to `end`, as whole numbers: lead, account, us, and codes."""
    counts = leads.touches[begin:end]
    times = draw_times(rng, leads.created[begin:end], counts)
    lead = np.repeat(np.arange(begin, end), counts)
    many = len(lead)
    return pa.table({
        "lead": lead.astype(np.int32),
        "account": leads.account[lead].astype(np.int32),
        "us": times,
        "kind": rng.choice(len(KINDS), many, p=KIND_SHARES).astype(np.int8),
        "channel": rng.choice(len(CHANNELS), many, p=CHANNEL_SHARES).astype(np.int8),
        "campaign": rng.integers(0, CAMPAIGNS, many).astype(np.int16),
        "value": np.floor(rng.exponential(20, many)).astype(np.int16),
    })  # fmt: skip


def draw_rows(rng: np.random.Generator, touches: pa.Table, shape: str) -> pa.Table:
    """The rows about these touches' leads: lead, account and as_of, of leads touched of late."""
    lead, us = touches["lead"].to_numpy(), touches["us"].to_numpy()
    account = touches["account"].to_numpy()
    found: list[tuple[I64, I64]] = []
    for as_of in WEEKS if shape == "weekly" else MONTHS:
        recent = np.flatnonzero((us < as_of) & (us >= as_of - ACTIVE_WITHIN * DAY))
        one_each = recent[np.r_[True, lead[recent][1:] != lead[recent][:-1]]] if len(recent) else recent
        found.append((one_each, np.full(len(one_each), as_of)))
    at, as_of = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if shape == "per-row":
        as_of = as_of + rng.integers(0, 28 * DAY, len(as_of))
    return pa.table({"lead": lead[at], "account": account[at], "us": as_of})


def write(folder: Path, touches: int, shapes: tuple[str, ...]) -> None:
    """Write Touchline's canonical tables, and rows of each shape, into a folder.

    The table of touches has one column more than Touchline asks for, `account_id`, which spares the peers a join.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    leads = draw_leads(rng, touches)
    raw = folder / "raw"
    raw.mkdir()
    for name in ("touches", *shapes):
        (raw / name).mkdir()
    for i, begin in enumerate(range(0, len(leads.created), _CHUNK)):
        made = draw_touches(rng, leads, begin, min(begin + _CHUNK, len(leads.created)))
        parquet.write_table(made, raw / "touches" / f"{i:05}.parquet")
        for shape in shapes:
            drawn = draw_rows(np.random.default_rng((7, i)), made, shape)
            parquet.write_table(drawn, raw / shape / f"{i:05}.parquet")
    con = duckdb.connect()
    con.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '2GB'; SET temp_directory = '{folder}/spill'")
    con.execute("SET enable_progress_bar = false")
    con.execute(f"COPY ({_touches(raw)}) TO '{folder}/touches.parquet'")
    for shape in shapes:
        con.execute(f"COPY ({_rows(raw, shape)}) TO '{rows_file(folder, shape)}'")
    _write_leads(con, folder, leads)
    _write_empty(folder)
    _write_manifest(con, folder, touches)
    con.close()
    shutil.rmtree(raw)


def rows_file(folder: Path, shape: str) -> Path:
    """Where the rows of a shape are: lead_id, account_id, as_of."""
    return folder / f"rows-{shape}.parquet"


_LEAD = "'L' || lpad(lead::VARCHAR, 7, '0') AS lead_id"
_ACCOUNT = "'A' || lpad(account::VARCHAR, 6, '0') AS account_id"


def _time(name: str) -> str:
    return f"make_timestamp(us)::TIMESTAMPTZ AS {name}"


def _touches(raw: Path) -> str:
    """SQL for the touches in order of time. Codes become text only after they are sorted."""
    return (
        "SELECT 'T' || lpad((row_number() OVER ())::VARCHAR, 9, '0') AS touch_id, "
        f"{_LEAD}, {_time('occurred_at')}, {_time('known_at')}, {list(KINDS)}[kind + 1] AS kind, "
        f"{list(CHANNELS)}[channel + 1] AS channel, 'campaign-' || lpad(campaign::VARCHAR, 3, '0') AS campaign, "
        "NULL::VARCHAR AS asset, NULL::VARCHAR AS topic, 'inbound' AS direction, value::DOUBLE AS value, "
        f"false AS machine, NULL::VARCHAR AS merged_from, {_ACCOUNT} "
        f"FROM (SELECT * FROM read_parquet('{raw}/touches/*.parquet') ORDER BY us, lead)"
    )


def _rows(raw: Path, shape: str) -> str:
    return f"SELECT {_LEAD}, {_ACCOUNT}, {_time('as_of')} FROM '{raw}/{shape}/*.parquet' ORDER BY us, lead"


def _write_leads(con: duckdb.DuckDBPyConnection, folder: Path, leads: Leads) -> None:
    made = pa.table({"lead": np.arange(len(leads.created)), "account": leads.account, "us": leads.created})
    con.register("made", made)
    con.execute(
        f"COPY (SELECT {_LEAD}, {_time('created_at')}, {_time('known_at')}, {_ACCOUNT}, NULL::VARCHAR AS owner_id, "
        "NULL::VARCHAR AS name, NULL::VARCHAR AS language, NULL::VARCHAR AS email_domain_kind, "
        f"NULL::VARCHAR AS merged_into, NULL::TIMESTAMPTZ AS merged_at FROM made) TO '{folder}/leads.parquet'"
    )


def _write_empty(folder: Path) -> None:
    """Write the tables that have no rows here."""
    types = {"text": pa.string(), "time": pa.timestamp("us", "UTC"), "number": pa.float64(), "boolean": pa.bool_()}
    for name, contract in TABLES.items():
        if name not in ("leads", "touches"):
            columns = [(c.name, types[c.type]) for c in contract.columns]
            columns += [("merged_from", pa.string())] if name in ("stages", "changes") else []
            parquet.write_table(pa.schema(columns).empty_table(), folder / f"{name}.parquet")


def _write_manifest(con: duckdb.DuckDBPyConnection, folder: Path, touches: int) -> None:
    """Write what `touchline check` would have, as far as it is read. Data ends when the last row's label is known."""
    entries: dict[str, dict[str, str | int]] = {}
    for name in TABLES:
        (row,) = con.execute(f"SELECT count(*) FROM '{folder}/{name}.parquet'").fetchall()
        entries[name] = {"file": f"{name}.parquet", "rows": row[0], "sha256": ""}
    result = {
        "first": "2024-01-01T00:00:00+00:00",
        "last": "2026-12-31T00:00:00+00:00",
        "data_digest": f"benchmark of {touches} touches",
    }
    manifest = {"format": FORMAT, "tables": entries, "result": result}
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def main() -> None:
    """Write the touches and rows that the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--touches", type=int, required=True)
    parser.add_argument("--shapes", type=lambda names: tuple(names.split(",")), default=SHAPES)
    options = parser.parse_args()
    write(options.folder, options.touches, options.shapes)


if __name__ == "__main__":
    main()
