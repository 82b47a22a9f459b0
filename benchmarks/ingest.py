"""The check of a touch log beside plain DuckDB copying the same file.

    python -m benchmarks.ingest                    # 10 million touches
    python -m benchmarks.ingest --touches 50000000

The copy reads every value and writes it again. The check also types and checks every value, looks for repeats and link
scanners, sorts by lead and time, and writes the account of every row. Both run as processes of their own, in turn.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

import duckdb

from benchmarks.machine import Cost, describe, measure, middle
from touchline.playbook import starter_text

LEADS_EACH = 100
"""Touches per lead, on average."""

COPY = """
import duckdb, sys
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
source = f"'{sys.argv[1]}'" if sys.argv[1].endswith("parquet") else f"read_csv('{sys.argv[1]}')"
con.execute(f"COPY (FROM {source}) TO '{sys.argv[2]}' (FORMAT parquet)")
"""


def write_log(folder: Path, touches: int, kind: str) -> Path:
    """Write a log of `touches` rows in order of time, one in a thousand of them bad, and its leads."""
    leads = touches // LEADS_EACH
    span = 2 * 365 * 86_400 * 1_000_000
    moment = (
        f"TIMESTAMPTZ '2024-01-01 00:00:00+00' + to_microseconds(i * {span // touches} + (hash(i, 7) % 1000)::BIGINT)"
    )
    kinds = ["email_sent", "email_open", "email_click", "web_visit", "pricing_page", "webinar", "event", "sales_call"]
    channels = ["email", "web", "phone", "event"]
    con = duckdb.connect()
    con.execute(f"SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET temp_directory = '{folder}/spill'")
    con.execute("SET enable_progress_bar = false")
    log = folder / f"touches.{kind}"
    con.execute(
        f"COPY (SELECT 'T' || lpad(i::VARCHAR, 9, '0') AS touch_id, "
        f"'L' || lpad((hash(i, 1) % {leads})::VARCHAR, 7, '0') AS lead_id, "
        f"{moment} AS occurred_at, {moment} AS known_at, "
        f"CASE WHEN i % 1000 = 7 THEN 'unheard_of' ELSE {kinds}[1 + (hash(i, 2) % 8)::INT] END AS kind, "
        f"{channels}[1 + (hash(i, 3) % 4)::INT] AS channel, 'campaign-' || (hash(i, 4) % 200)::VARCHAR AS campaign, "
        f"'asset-' || (hash(i, 5) % 500)::VARCHAR AS asset, "
        f"['security', 'pricing', 'support'][1 + (hash(i, 6) % 3)::INT] AS topic, NULL::VARCHAR AS direction "
        f"FROM range({touches}) r(i)) TO '{log}'"
    )
    con.execute(
        f"COPY (SELECT 'L' || lpad(i::VARCHAR, 7, '0') AS lead_id, TIMESTAMPTZ '2023-12-31 00:00:00+00' AS created_at "
        f"FROM range({leads}) r(i)) TO '{folder}/leads.parquet'"
    )
    con.close()
    # The log brings no attributes.
    playbook = re.sub(r"\[attributes\.\w+\]\n(?:.+\n)+", "", starter_text())
    (folder / "playbook.toml").write_text(playbook, encoding="utf-8")
    return log


def main() -> None:
    """Write the log, run both in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--touches", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kind", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--memory", default="1GB", help="the check's memory limit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as scratch:
        folder = Path(scratch)
        data = folder / "data"
        data.mkdir()
        log = write_log(data, options.touches, options.kind)
        copy = [sys.executable, "-c", COPY, str(log), str(folder / "copy.parquet")]
        program = "from touchline.pipelines.cli import main; main()"
        check = [sys.executable, "-c", program, "check", "-p", str(data / "playbook.toml"), "-d", str(data)]
        check += ["-o", str(folder / "tables"), "--memory", options.memory, "--json"]
        pairs = [(measure(copy), measure(check)) for _ in range(options.rounds)]
    report(options.touches, pairs)


def report(touches: int, pairs: list[tuple[Cost, Cost]]) -> None:
    """Print medians and their ratio."""
    copies, checks = middle([c for c, _ in pairs]), middle([c for _, c in pairs])
    print(describe("duckdb"))
    print(f"{touches:,} touches, median of {len(pairs)} runs in turn\n")
    print("| | wall s | CPU s | touches/s | peak memory |")
    print("|---|---|---|---|---|")
    for name, cost in (("plain copy by DuckDB", copies), ("touchline check", checks)):
        rate = touches / cost.wall
        print(f"| {name} | {cost.wall:.1f} | {cost.cpu:.1f} | {rate:,.0f} | {cost.peak / 1e9:.2f} GB |")
    print(f"| ratio | {checks.wall / copies.wall:.1f} | {checks.cpu / copies.cpu:.1f} | | |")


if __name__ == "__main__":
    main()
