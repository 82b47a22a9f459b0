"""Insight of a batch: moments, what was told and what to share, for the leads that are worth a call."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from touchline.serve.batch.scoring import Scoring
from touchline.serve.insight import already_told, contact_pressure, find_moments, next_to_share
from touchline.serve.store.shapes import Part


def with_insight(part: Part, scoring: Scoring, worth: float) -> Part:
    """A part with insight of its leads from `worth` log-odds on; of others there is none, as nobody would read it."""
    leads = part.scores.filter(pc.greater_equal(part.scores["log_odds"], pa.scalar(worth)))["lead_id"]
    if not len(leads):
        return part
    asked = (scoring.tables, scoring.playbook, scoring.as_of, leads)
    return Part(
        part.scores,
        part.reasons,
        part.touches,
        part.changes,
        moments=find_moments(*asked),
        told=already_told(*asked),
        share=next_to_share(*asked),
        pressure=contact_pressure(*asked),
    )
