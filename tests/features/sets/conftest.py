"""Small companies written straight into canonical tables, and the same features by plain SQL."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from touchline.features import Tables

TIME = pa.timestamp("us", "UTC")
SCHEMAS: dict[str, dict[str, pa.DataType]] = {
    "leads": {
        "lead_id": pa.string(), "created_at": TIME, "known_at": TIME, "account_id": pa.string(),
        "owner_id": pa.string(), "name": pa.string(), "language": pa.string(), "email_domain_kind": pa.string(),
        "role": pa.string(), "merged_into": pa.string(), "merged_at": TIME,
    },
    "touches": {
        "touch_id": pa.string(), "lead_id": pa.string(), "occurred_at": TIME, "known_at": TIME, "kind": pa.string(),
        "channel": pa.string(), "campaign": pa.string(), "asset": pa.string(), "topic": pa.string(),
        "direction": pa.string(), "value": pa.float64(), "machine": pa.bool_(), "merged_from": pa.string(),
    },
    "deals": {
        "deal_id": pa.string(), "lead_id": pa.string(), "account_id": pa.string(), "opened_at": TIME,
        "closed_at": TIME, "known_at": TIME, "outcome": pa.string(), "amount": pa.float64(),
    },
    "stages": {
        "lead_id": pa.string(), "stage": pa.string(), "entered_at": TIME, "known_at": TIME, "reason": pa.string(),
        "merged_from": pa.string(),
    },
    "changes": {
        "lead_id": pa.string(), "account_id": pa.string(), "field": pa.string(), "value": pa.string(),
        "known_at": TIME, "merged_from": pa.string(),
    },
    "accounts": {
        "account_id": pa.string(), "created_at": TIME, "known_at": TIME, "name": pa.string(), "industry": pa.string(),
        "size": pa.float64(), "region": pa.string(),
    },
    "assets": {
        "asset": pa.string(), "title": pa.string(), "topic": pa.string(), "language": pa.string(),
        "address": pa.string(), "shareable": pa.bool_(),
    },
}  # fmt: skip
HAPPENS = {"leads": "created_at", "touches": "occurred_at", "stages": "entered_at", "deals": "closed_at",
           "accounts": "created_at"}  # fmt: skip

Write = Callable[..., Tables]
Given = list[dict[str, Any]] | pa.Table


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write canonical tables as given (rows, or a table), in the order given; in rows `known_at` follows."""
    written = iter(range(10_000))

    def write_tables(until: datetime = datetime(2026, 1, 1, tzinfo=UTC), **given: Given) -> Tables:
        return write_to(tmp_path / f"tables-{next(written)}", until, **given)

    return write_tables


def write_to(folder: Path, until: datetime, **given: Given) -> Tables:
    folder.mkdir(parents=True)
    entries: dict[str, Any] = {}
    first = until
    for name, columns in SCHEMAS.items():
        table = _table(name, given.get(name, []), pa.schema(list(columns.items())))
        pq.write_table(table, folder / f"{name}.parquet")
        entries[name] = {"file": f"{name}.parquet", "rows": len(table), "sha256": ""}
        if name == "touches" and len(table):
            first = pc.min(table["occurred_at"]).as_py()
    result = {"first": first.isoformat(), "last": until.isoformat(), "data_digest": folder.name}
    return Tables(folder, {"format": 2, "tables": entries, "result": result})


def _table(name: str, given: Given, schema: pa.Schema) -> pa.Table:
    """The columns of the schema; what a table does not have is missing."""
    if isinstance(given, pa.Table):
        return pa.concat_tables([schema.empty_table(), given], promote_options="default")
    return pa.Table.from_pylist([_filled(name, i, row) for i, row in enumerate(given)], schema)


def _filled(table: str, i: int, row: dict[str, Any]) -> dict[str, Any]:
    happens = HAPPENS.get(table)
    filled = {"known_at": row.get(happens), **row} if happens else dict(row)
    if table == "touches":
        filled = {"touch_id": f"T{i}", "machine": False, "direction": "inbound", **filled}
    if table == "deals" and filled.get("known_at") is None:
        filled["known_at"] = filled.get("opened_at")
    return filled


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The module beside this one that computes features by plain SQL."""
    spec = importlib.util.spec_from_file_location("oracle", Path(__file__).with_name("oracle.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
