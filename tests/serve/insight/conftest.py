"""Small companies written straight into canonical tables, and a simulated one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.features import Tables, check_tables
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import Playbook, starter_playbook

TIME = pa.timestamp("us", "UTC")
SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "leads": {
        "lead_id": pa.string(), "created_at": TIME, "known_at": TIME, "account_id": pa.string(),
        "language": pa.string(), "merged_into": pa.string(), "merged_at": TIME,
    },
    "touches": {
        "touch_id": pa.string(), "lead_id": pa.string(), "occurred_at": TIME, "known_at": TIME, "kind": pa.string(),
        "channel": pa.string(), "campaign": pa.string(), "asset": pa.string(), "topic": pa.string(),
        "direction": pa.string(), "value": pa.float64(), "machine": pa.bool_(), "merged_from": pa.string(),
    },
    "accounts": {"account_id": pa.string(), "industry": pa.string()},
    "assets": {
        "asset": pa.string(), "title": pa.string(), "topic": pa.string(), "language": pa.string(),
        "address": pa.string(), "shareable": pa.bool_(),
    },
}  # fmt: skip
BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
AS_OF = datetime(2025, 6, 11, tzinfo=UTC)
"""A Wednesday."""

Row = dict[str, Any]
Write = Callable[..., Tables]


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    return starter_playbook()


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Write:
    """Write canonical tables; leads that are not described are those of the touches, each without an account."""

    def write_tables(touches: list[Row], *, leads: list[Row] | None = None, **given: list[Row]) -> Tables:
        named = sorted({touch["lead_id"] for touch in touches})
        described = leads if leads is not None else [{"lead_id": name} for name in named]
        rows = {
            **given,
            "leads": [{"created_at": BEGAN, "known_at": BEGAN, **lead} for lead in described],
            "touches": [_touch(i, touch, playbook) for i, touch in enumerate(touches)],
        }
        folder = tmp_path_factory.mktemp("tables")
        entries: dict[str, Any] = {}
        for name, columns in SCHEMAS.items():
            table = pa.Table.from_pylist(rows.get(name, []), pa.schema(list(columns.items())))
            pq.write_table(table, folder / f"{name}.parquet")
            entries[name] = {"file": f"{name}.parquet", "rows": len(table), "sha256": ""}
        return Tables(folder, {"format": 2, "tables": entries, "result": {}})

    return write_tables


def _touch(i: int, touch: Row, playbook: Playbook) -> Row:
    """A touch: `ago` days before `AS_OF`, or at `occurred_at`; known when it happened, unless it says otherwise."""
    row = {"touch_id": f"T{i}", "machine": False, **touch}
    if "ago" in row:
        row["occurred_at"] = AS_OF - timedelta(days=row.pop("ago"))
    kind = playbook.kinds.get(row["kind"])
    return {"known_at": row["occurred_at"], "direction": kind.direction if kind else None, **row}


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Tables:
    """A company of a thousand leads with late facts, scanners and merges."""
    folder: Path = tmp_path_factory.mktemp("simulated")
    simulate(folder / "data", leads=1_000, seed=7, traps=Traps(merges=True))
    assert check_tables(playbook, folder / "data", out=folder / "tables").ok
    return Tables.open(folder / "tables")
