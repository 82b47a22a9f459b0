"""Small batches with something of everything."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from touchline.serve.store import SHAPES, Batch, Lineage, Part, Store

DAY = timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def lineage(**more: Any) -> Lineage:
    """What a batch is made from; a test says what matters to it."""
    usual: dict[str, Any] = {
        "as_of": MONDAY, "model": "lead-scorer", "version": "3", "input_digest": "i1", "model_digest": "m",
        "playbook_digest": "p", "catalog_digest": "c", "run_id": "r", "code_version": "0.1",
        "scored_at": MONDAY + timedelta(hours=1), "meta": {"base": 50.25, "subjects": ["été"]},
    }  # fmt: skip
    return Lineage(**{**usual, **more})


def scores(leads: list[str], log_odds: list[float] | None = None, **more: list[Any]) -> pa.Table:
    """Scores of leads; columns that a test does not give are the same for all."""
    size = len(leads)
    z = np.array(log_odds if log_odds is not None else [-4.0 + i / 7 for i in range(size)])
    columns: dict[str, Any] = {
        "lead_id": leads, "account_id": [None] * size, "owner_id": ["anna"] * size, "rank": list(range(1, size + 1)),
        "log_odds": z, "probability": 1 / (1 + np.exp(-z)), "low": [0.01] * size, "high": [0.3] * size,
        "score": 50 + z, "tier": ["A"] * size, "grade": ["B2"] * size, "stars": [1] * size, "stars_frozen": [1] * size,
        "flames": [0] * size, "trend": ["new"] * size, "change": [None] * size, "rest": [0.1] * size,
        "stage": ["mql"] * size, "language": ["fr"] * size,
    }  # fmt: skip
    return pa.table({**columns, **more}).select(SHAPES["scores"].names).cast(SHAPES["scores"])


def rows(name: str, *given: dict[str, Any]) -> pa.Table:
    """Rows of one of the tables; columns that are not given are missing."""
    return pa.Table.from_pylist(list(given), schema=SHAPES[name])


def full(leads: list[str]) -> Part:
    """Leads of which the last has something of everything, given out of order."""
    last, first = len(leads) - 1, leads[0]
    at = datetime(2026, 2, 27, 9, 30, 0, 123456, tzinfo=UTC)
    return Part(
        scores(leads),
        reasons=rows(
            "reasons",
            {"row": last, "family": 2, "subject": 7, "points": 1 / 3, "count": 2, "against": -1,
             "last": date(2026, 2, 27), "value": None},
            {"row": 0, "family": 1, "subject": 1, "points": 9.0},
            {"row": last, "family": 0, "subject": 0, "points": -0.1, "value": '"Lyon, \\"acier\\""'},
        ),
        touches=rows("touches", {"row": last, "family": 2, "touch_id": "T9", "kind": "webinar", "asset": "",
                                 "day": date(2026, 2, 27), "points": 0.25}),
        changes=rows("changes", {"row": last, "step": 1, "subject": 7, "points": 2.5},
                     {"row": last, "step": 3, "subject": None, "points": -1.0}),
        moments=rows("moments", {"lead_id": leads[last], "moment": "surge", "occurred_at": at, "day": date(2026, 2, 27),
                                 "touch_ids": ["a\nb", 'c"d'], "touches": 2, "person": leads[last], "strength": 4.5}),
        told=rows("told", {"lead_id": leads[last], "about": "topic", "name": "prix", "last_at": at, "touches": 1},
                  {"lead_id": first, "about": "asset", "name": "x"}),
        share=rows("share", {"lead_id": leads[last], "rank": 1, "asset": "guide", "title": "Guide, à lire",
                             "similar": False, "too_much": True, "interest": 0.1}),
        pressure=rows("pressure", {"lead_id": leads[last], "last_7_days": 2, "too_much": False, "last_at": at}),
    )  # fmt: skip


def publish(store: Store, part: Part, *, revise: bool = False, **more: Any) -> Batch:
    """Stage and publish a batch of one part."""
    with store.new_batch(lineage(**more), revise=revise) as batch:
        batch.add(part)
        return batch.publish()
