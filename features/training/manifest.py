"""The manifest: what a set is made from, what it holds, and what it left out."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import touchline
from touchline.features.snapshots.credits import wins_of_nobody
from touchline.features.snapshots.draw import Windows
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace
from touchline.features.training.order import Order

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
"""Of sets; those of another format are refused."""


def make_manifest(
    w: Workspace, tables: Tables, order: Order, spans: Windows, counts: list[dict[str, Any]]
) -> dict[str, Any]:
    """The manifest of the set whose rows are in `snapshots`; `counts` are those before any was left out."""
    recipe = {
        "data": tables.digest,
        "playbook": w.playbook.digest,
        "catalog": order.catalog.digest,
        "kind": order.kind,
        "rows": order.rows,
        "touchline": touchline.__version__,
    }
    catalog = order.catalog
    return {
        "format": FORMAT,
        "touchline": touchline.__version__,
        "kind": order.kind,
        "digest": hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest(),
        "recipe": recipe,
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "engine": order.engine.name,
        "rows": w.count("SELECT count(*) FROM snapshots"),
        "leads": w.count("SELECT count(DISTINCT lead_id) FROM snapshots"),
        "won_deals": w.count("SELECT count(DISTINCT deal_id) FROM snapshots WHERE status = 'won'"),
        "wins_of_nobody": wins_of_nobody(w, tables),
        "windows": {
            "gap_days": spans.gap / 86_400_000_000,
            "horizon_days": spans.horizon / 86_400_000_000,
            "label_lag_days": spans.lag / 86_400_000_000,
            "data_end": spans.data_end.isoformat(),
            "mature_until": spans.mature_until.isoformat(),
        },
        "counts": counts,
        "families": {f: {v: catalog.family_words(f, v) for v in w.playbook.languages} for f in catalog.families},
        "features": [
            {
                "name": f.name,
                "family": f.family,
                "unit": f.unit,
                "words": {language: catalog.label(f.name, language) for language in w.playbook.languages},
                "declaration": json.loads(json.dumps(f.to_dict(), default=_plain)),
            }
            for f in catalog
        ],
        "parts": [],
    }


class Missing:
    """Counts in how many rows each feature is missing."""

    def __init__(self, names: list[str]) -> None:
        self.counts = dict.fromkeys(names, 0)
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Count the missing values of some rows."""
        import pyarrow.compute as pc

        self.rows += rows.num_rows
        for name in self.counts:
            self.counts[name] += pc.sum(pc.is_null(rows[name], nan_is_null=True)).as_py() or 0

    def into(self, manifest: dict[str, Any]) -> None:
        """Write each feature's share of missing values into the manifest."""
        for feature in manifest["features"]:
            feature["missing"] = self.counts[feature["name"]] / max(1, self.rows)


def _plain(value: object) -> object:
    return value.to_dict() if hasattr(value, "to_dict") else str(value)  # type: ignore[attr-defined]
