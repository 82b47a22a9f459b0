"""A small company with everything that engines may treat differently: merges, repeats, values, histories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from touchline.features import Catalog, Tables, TrainingSet, build_training_set, check_tables
from touchline.features.catalog import Account, Distinct, First, Last, Sum
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import Playbook


@dataclass(frozen=True)
class Given:
    """What engines are given."""

    tables: Tables
    playbook: Playbook
    catalog: Catalog
    local: TrainingSet
    """What the local engine makes of it."""


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Given:
    raw = tmp_path_factory.mktemp("company") / "data"
    simulate(raw, leads=600, seed=7, traps=Traps(merges=True, duplicates=True))
    _add_values(raw / "touches.parquet")
    _add_history(raw)
    _make_late(raw / "leads.parquet")
    out = raw.parent / "a {b} [c]* d'é %20"  # a path in which Spark could see a pattern
    check_tables(playbook, raw, out=out)
    more = [Sum(30), Sum(None, kind="web_visit"), Account(Sum(91)), Account(Distinct(30, of="campaign"))]
    more += [First(of="campaign"), Last(of="asset"), Account(Last(of="campaign"))]
    tables, catalog = Tables.open(out), Catalog.default(playbook).add(*more)
    return Given(tables, playbook, catalog, build_training_set(tables, playbook, catalog=catalog))


@pytest.fixture(scope="session")
def bits() -> Callable[[pa.Table], dict[str, object]]:
    """Gives every column as something that is equal only if all its bits are."""

    def of(table: pa.Table) -> dict[str, object]:
        found: dict[str, object] = {}
        for name in table.column_names:
            column = pa.concat_arrays(table[name].chunks)
            if pa.types.is_floating(column.type):
                numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
                found[name] = (column.type, column.is_null().to_pylist(), numbers.tobytes())
            else:
                found[name] = column.to_pylist()
        return found

    return of


def _add_values(file: Path) -> None:
    """Money, halves of the millionths that values are summed in, negative ones, and none."""
    touches = pq.read_table(file)
    draw = np.random.default_rng(1)
    values = draw.choice([0.0000005, 1.0000015, -0.0000025, 19.99, -3.1, 1e6 / 3, np.nan], touches.num_rows)
    column = pa.array(values, pa.float64(), from_pandas=True)
    if "value" in touches.column_names:
        touches = touches.drop_columns("value")
    pq.write_table(touches.append_column("value", column), file)


def _make_late(file: Path) -> None:
    """Some leads are known weeks after their first touches."""
    leads = pq.read_table(file)
    late = pa.array([40 * 86_400_000_000 * (i % 3 == 0) for i in range(leads.num_rows)], pa.duration("us"))
    pq.write_table(leads.append_column("known_at", pc.add(leads["created_at"], late)), file)


def _add_history(folder: Path) -> None:
    """Changes of attributes of leads and of accounts, some of them to nothing."""
    leads = pq.read_table(folder / "leads.parquet").select(["lead_id", "account_id", "created_at"]).to_pylist()
    changes = pq.read_table(folder / "changes.parquet")
    rows: list[dict[str, object]] = []
    for i, lead in enumerate(leads):
        for k in range(i % 4):
            known = lead["created_at"] + np.timedelta64(7 * 86_400_000_003 * k + i, "us").item()
            seats, trial = [(None, "true"), ("5", None), ("12.5", "false")][k]
            own = {"lead_id": lead["lead_id"], "known_at": known}
            rows += [{**own, "field": "seats", "value": seats}, {**own, "field": "trial", "value": trial}]
            if lead["account_id"]:
                plan, renewal = [("basic", "2025-01-01"), (None, None), ("grand", "2024-06-30 12:00:00")][k]
                account = {"account_id": lead["account_id"], "known_at": known}
                rows += [{**account, "field": "plan", "value": plan}, {**account, "field": "renewal", "value": renewal}]
    words = [(name, pa.string()) for name in ("lead_id", "account_id", "field", "value")]
    added = pa.Table.from_pylist(rows, pa.schema([*words, changes.schema.field("known_at")]))
    pq.write_table(pa.concat_tables([changes, added], promote_options="default"), folder / "changes.parquet")
