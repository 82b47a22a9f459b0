"""Reading alone: DuckDB looks at every value that the features look at, and computes none of them."""

from __future__ import annotations

from benchmarks.features.peers import Task, run
from benchmarks.features.peers.duckdb_views import connect


def scan(task: Task) -> None:
    """Find the largest value of each column."""
    columns = ("lead_id", "account_id", "us", "kind", "channel", "campaign", "value")
    with connect(task) as con:
        con.execute(f"SELECT {', '.join(f'max({c})' for c in columns)} FROM touches").fetchall()


if __name__ == "__main__":
    run(scan)
