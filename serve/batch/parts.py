"""From explained leads to the rows that are kept and shown: `touchline.serve.store.Part`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from touchline.features.tables import Tables
from touchline.features.trace import Apportioned
from touchline.models.reasons import STEPS
from touchline.models.scale import Standing, trend
from touchline.serve.batch.explaining import Explained
from touchline.serve.store.shapes import CHANGES, REASONS, SCORES, TOUCHES, Part

Floats = NDArray[np.float64]

_WORTH_SAYING = 0.5
"""Points from which on a touch is kept among those that count most."""
_NONE = -1


@dataclass(frozen=True)
class Standings:
    """What places a lead among others; known only once all are scored.

    Attributes
    ----------
    log_odds
        Of all leads of the batch, from the least to the greatest.
    today, frozen
        Floors of the stars among them, and among the population of the first model.
    """

    log_odds: Floats
    today: Standing
    frozen: Standing

    @classmethod
    def among(cls, log_odds: Floats, frozen: list[float] | None) -> Standings:
        """Standings among leads; `frozen` are the floors that the model carries, if it does."""
        today = Standing.among(log_odds)
        kept = Standing((frozen[0], frozen[1], frozen[2])) if frozen else today
        return cls(np.sort(log_odds), today, kept)

    def rank(self, log_odds: Floats) -> NDArray[np.int64]:
        """1 for the likeliest; leads that are equally likely share a rank."""
        return 1 + len(self.log_odds) - np.searchsorted(self.log_odds, log_odds, side="right")


@dataclass(frozen=True)
class People:
    """What the table of leads says of them, for pages to filter by."""

    table: pa.Table

    @classmethod
    def of(cls, tables: Tables) -> People:
        """Read owners, languages and since when leads are known."""
        return cls(tables.arrow("leads").select(["lead_id", "owner_id", "language", "known_at"]))

    def find(self, lead_ids: pa.Array) -> pa.Table:
        """The rows of leads, in their order."""
        return self.table.take(pc.index_in(lead_ids, self.table["lead_id"].combine_chunks()))


def part_of(
    explained: Explained,
    by_family: Apportioned,
    overall: Apportioned,
    people: People,
    *,
    earlier: datetime | None,
    zone: tzinfo,
) -> Part:
    """The rows of some leads, but for what is known only once all are scored (`placed`).

    Parameters
    ----------
    explained, by_family, overall
        The leads, and the touches they stand on.
    people
        Of the same tables.
    earlier
        Since when changes are told; leads that were not known then have none.
    zone
        In which days begin and end.
    """
    lead_ids = pa.array(explained.keys["lead_id"], pa.string())
    known = people.find(lead_ids)
    had_score = np.zeros(len(lead_ids), bool)
    if earlier is not None and explained.change is not None:
        had_score = pc.less(known["known_at"], pa.scalar(earlier, known["known_at"].type)).to_numpy()
    return Part(
        scores=_scores(explained, lead_ids, known, had_score),
        reasons=_reasons(explained),
        touches=_touches(explained, by_family, overall, zone),
        changes=_changes(explained, had_score),
    )


def placed(part: Part, standings: Standings, before: Floats) -> Part:
    """The same with ranks, stars and trends; `before` are the scores four weeks earlier, NaN where there was none."""
    log_odds = part.scores["log_odds"].to_numpy()
    found: dict[str, Any] = {
        "rank": standings.rank(log_odds),
        "stars": standings.today.stars(log_odds),
        "stars_frozen": standings.frozen.stars(log_odds),
        "trend": trend(part.scores["score"].to_numpy(), before),
    }
    scores = part.scores
    for name, values in found.items():
        place = scores.column_names.index(name)
        scores = scores.set_column(place, SCORES.field(name), pa.array(values, SCORES.field(name).type))
    return Part(scores, *(getattr(part, name) for name in Part.names()))


def _scores(explained: Explained, lead_ids: pa.Array, known: pa.Table, had_score: NDArray[np.bool_]) -> pa.Table:
    size = len(lead_ids)
    moved = explained.scale.points(explained.change.total) if explained.change is not None else np.zeros(size)
    flames = explained.flames if explained.flames is not None else np.zeros(size, np.int8)
    columns = {
        "lead_id": lead_ids,
        "account_id": pa.array(explained.keys["account_id"], pa.string()),
        "owner_id": known["owner_id"],
        "rank": np.zeros(size, np.int32),
        "log_odds": explained.log_odds,
        "probability": explained.probability,
        "low": explained.low,
        "high": explained.high,
        "score": explained.score,
        "tier": explained.tier,
        "grade": explained.grade,
        "stars": np.zeros(size, np.int8),
        "stars_frozen": np.zeros(size, np.int8),
        "flames": flames,
        "trend": np.full(size, "new"),
        "change": pa.array(moved, mask=~had_score),
        "rest": explained.scale.points(explained.reasons.rest),
        "stage": pa.array(explained.keys["stage"].astype(object), pa.string(), from_pandas=True),
        "language": known["language"],
    }
    return pa.table({name: columns[name] for name in SCORES.names})


def _reasons(explained: Explained) -> pa.Table:
    table = explained.reasons.table
    facts = {name: table[name].where(table[name] != _NONE) for name in ("count", "against")}
    columns = {
        **{name: table[name].to_numpy() for name in ("row", "family", "subject")},
        "points": explained.scale.points(table["log_odds"].to_numpy()),
        **{name: pa.array(of, from_pandas=True).cast(pa.int32()) for name, of in facts.items()},
        "last": pa.array(table["last"], from_pandas=True).cast(pa.date32()),
        "value": _as_text(table["value"]),
    }
    return pa.table({name: columns[name] for name in REASONS.names})


def _as_text(values: pd.Series[Any]) -> pa.Array:
    """Values of any kind as text; those that are missing stay so."""
    return pa.array(values.astype(object).where(values.notna(), None).map(str, na_action="ignore"), pa.string())


def _touches(part: Explained, by_family: Apportioned, overall: Apportioned, zone: tzinfo) -> pa.Table:
    """The touches that count most for a lead (without a family), and those of the reasons that are shown."""
    shown = part.reasons.table
    families = len(part.reasons.grouping.families)
    wanted = np.isin(by_family.row * families + by_family.group, shown["row"] * families + shown["family"])
    found = [
        _touch_rows(part, overall, part.scale.points(overall.amount) >= _WORTH_SAYING, zone, of_family=False),
        _touch_rows(part, by_family, wanted, zone, of_family=True),
    ]
    whole = pa.concat_tables(found)
    order = np.argsort(whole["row"].to_numpy(), kind="stable")
    return whole.take(pa.array(order))


def _touch_rows(
    part: Explained, touched: Apportioned, wanted: NDArray[np.bool_], zone: tzinfo, *, of_family: bool
) -> pa.Table:
    named = touched.touches.take(pa.array(touched.touch[wanted]))
    local = pd.Series(pd.DatetimeIndex(named["occurred_at"].to_pandas()).tz_convert(zone).tz_localize(None))
    size = int(wanted.sum())
    columns = {
        "row": pa.array(touched.row[wanted], pa.int32()),
        "family": pa.array(touched.group[wanted], pa.int16()) if of_family else pa.nulls(size, pa.int16()),
        "touch_id": named["touch_id"],
        "kind": named["kind"],
        "asset": pc.coalesce(named["asset"], named["campaign"]),
        "day": pa.array(local.dt.floor("D")).cast(pa.date32()),
        "points": part.scale.points(touched.amount[wanted]),
    }
    return pa.table({name: columns[name] for name in TOUCHES.names})


def _changes(explained: Explained, had_score: NDArray[np.bool_]) -> pa.Table:
    """What each step did; of new touches what the families did that moved most, and what these leave."""
    if explained.change is None:
        return CHANGES.empty_table()
    told = explained.change.table
    told = told[had_score[told["row"]]]
    touches = STEPS.index("touches")
    rows, had = told["row"].to_numpy(), np.flatnonzero(had_score)
    found = [_change_rows(rows, touches, pa.array(told["subject"], pa.int16()), told["log_odds"].to_numpy())]
    for number, step in enumerate(STEPS):
        whole = explained.change.rest if number == touches else explained.change.step(step)
        moved = had[whole[had] != 0]
        found.append(_change_rows(moved, number, pa.nulls(len(moved), pa.int16()), whole[moved]))
    table = pa.concat_tables(found)
    points = explained.scale.points(table["points"].to_numpy())
    table = table.set_column(table.column_names.index("points"), "points", pa.array(points))
    return table.take(pc.sort_indices(table, [("row", "ascending"), ("step", "ascending")]))


def _change_rows(row: NDArray[np.intp], step: int, subject: pa.Array, log_odds: Floats) -> pa.Table:
    steps = np.full(len(row), step, np.int8)
    return pa.table({"row": row.astype(np.int32), "step": steps, "subject": subject, "points": log_odds})
