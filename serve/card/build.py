"""Building cards: explained leads, the touches behind them and what to know besides, put into words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from touchline.features.catalog import Catalog
from touchline.features.trace import Apportioned
from touchline.models.reasons import Grouping, Step
from touchline.models.reasons.rounding import whole_points
from touchline.models.reasons.texts import told
from touchline.models.reasons.words import (
    ageing,
    base_line,
    capitalised,
    change_sentence,
    everything_else,
    headline,
    new_model,
    profile_changed,
)
from touchline.models.scorer.ladder import Rung
from touchline.playbook import Playbook
from touchline.playbook.language import Language
from touchline.serve.batch.explaining import Explained
from touchline.serve.card.card import ChangeLines, Insight, LeadCard, Line, ReasonLine, TouchLine

if TYPE_CHECKING:
    import pandas as pd

MOST_TOUCHES = 3
"""Of each reason, and twice as many overall."""
_WORTH_SAYING = 0.5
"""Points from which on a part of a change is named."""
_STEPS: tuple[Step, ...] = ("ageing", "profile", "model")
"""Those besides new touches, in the order they are told."""
TELL_CHANCES = (Rung.PROBABILITIES, Rung.FULL)


@dataclass(frozen=True)
class Writer:
    """Puts explained leads into words.

    Attributes
    ----------
    playbook, catalog
        The agreement, and the features that were explained.
    language
        One that the playbook speaks.
    rung
        What the model may say.
    alike
        Whether it gives every lead the same score.
    model
        Its name and version.
    titles
        Of assets, by their names.
    """

    playbook: Playbook
    catalog: Catalog
    language: Language
    rung: Rung
    alike: bool
    model: str
    titles: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def zone(self) -> tzinfo:
        """Where days begin and end."""
        return ZoneInfo(self.playbook.time_zone) if self.playbook.time_zone else UTC

    def cards(
        self, explained: Explained, touched: Apportioned, insight: Mapping[str, Insight], since: datetime | None = None
    ) -> Iterator[LeadCard]:
        """A card for each lead, in order.

        Parameters
        ----------
        explained
            The leads.
        touched
            What touches they stand on, by family.
        insight
            What to know besides, by lead.
        since
            The earlier date of `explained.change`.
        """
        places = dict(iter(explained.reasons.table.groupby("row")))
        for i, key in enumerate(explained.keys.itertuples(index=False)):
            as_of: datetime = key.as_of.to_pydatetime().astimezone(self.zone)  # type: ignore[union-attr]
            lead, account = str(key.lead_id), key.account_id
            today = as_of.date()
            chances = tuple(float(of[i]) for of in (explained.probability, explained.low, explained.high))
            probability, low, high = chances if self.rung in TELL_CHANCES else (None, None, None)
            base, reasons, rest = self._lines(explained, touched, i, places.get(i), today)
            yield LeadCard(
                lead_id=lead,
                account_id=account if isinstance(account, str) else None,
                as_of=as_of,
                language=self.language.code,
                rung=self.rung,
                alike=self.alike,
                chance=self.chance(*chances),
                probability=probability,
                low=low,
                high=high,
                score=round(float(explained.score[i])),
                tier=str(explained.tier[i]),
                grade=str(explained.grade[i]),
                flames=int(explained.flames[i]) if explained.flames is not None else 0,
                base=base,
                reasons=tuple(reasons),
                rest=rest,
                change=self._change(explained, i, since, today),
                touches=self._overall(explained, touched, i, today),
                insight=insight[lead],
                model=self.model,
            )

    def chance(self, probability: float, low: float, high: float) -> str:
        """How likely a win is, in words, no bolder than the model may be."""
        said = self._chance(probability, low, high)
        if not self.alike or self.rung is Rung.NONE:
            return said
        nothing = self.language.say("nothing told won leads from others: every lead has the same score")
        if self.rung is Rung.RANKS:
            return capitalised(nothing)
        return self.language.say("{said}; {nothing}", said=said, nothing=nothing)

    def _chance(self, probability: float, low: float, high: float) -> str:
        language, percent = self.language, self.language.percent
        days = round(self.playbook.outcome.horizon.total_seconds() / 86_400)
        within = language.count("within {n} day", "within {n} days", days)
        match self.rung:
            case Rung.NONE:
                return language.say("Not learned from your own deals yet: every lead has the same score")
            case Rung.RANKS:
                return language.say("Who comes first is known, how likely a win is not yet")
            case Rung.PROBABILITIES:
                return language.say(
                    "{chance} to be won {within} (95% interval: {low} to {high})",
                    chance=percent(probability), within=within, low=percent(low), high=percent(high),
                )  # fmt: skip
            case Rung.FULL:
                return language.say("{chance} to be won {within}", chance=percent(probability), within=within)

    def _lines(
        self, explained: Explained, touched: Apportioned, i: int, table: pd.DataFrame | None, today: date
    ) -> tuple[Line, list[ReasonLine], Line]:
        """The lines of the sum; the last takes what the scale cuts off."""
        reasons, scale = explained.reasons, explained.scale
        rows: list[Any] = list(table.itertuples(index=False)) if table is not None else []
        base = 50 + float(scale.points(np.array(reasons.base - scale.reference)))
        given = [float(scale.points(np.array(row.log_odds))) for row in rows]
        score = float(explained.score[i])
        points = whole_points([base, *given, score - base - sum(given)], score)
        lines: list[ReasonLine] = []
        for row, own in zip(rows, points[1:], strict=False):
            name = reasons.grouping.families[row.family]
            said = self._sentence(reasons.grouping, row, today)
            head = headline(name, playbook=self.playbook, language=self.language)
            shown = self._touches(explained, touched, i, today, family=row.family)
            if own:  # what rounds to nothing is no reason
                lines.append(ReasonLine(said, own, name, head, shown))
        first, last = (capitalised(line(self.language)) for line in (base_line, everything_else))
        return Line(first, points[0]), lines, Line(last, points[-1])

    def _sentence(self, grouping: Grouping, row: Any, today: date) -> str:
        return told(row, grouping, self.catalog, self.language, today)

    def _touches(
        self, explained: Explained, touched: Apportioned, i: int, today: date, *, family: int
    ) -> tuple[TouchLine, ...]:
        mine = np.flatnonzero((touched.row == i) & (touched.group == family))[:MOST_TOUCHES]
        return tuple(
            self._touch(explained, touched, int(touched.touch[j]), float(touched.amount[j]), today) for j in mine
        )

    def _overall(self, explained: Explained, touched: Apportioned, i: int, today: date) -> tuple[TouchLine, ...]:
        """The touches that count most for the lead, over all families."""
        mine = touched.row == i
        touch, of = np.unique(touched.touch[mine], return_inverse=True)
        amount = np.bincount(of, touched.amount[mine], minlength=len(touch))
        worth = float(explained.scale.points(np.array(1.0))) * amount >= _WORTH_SAYING
        best = [j for j in np.argsort(-amount, kind="stable")[: 2 * MOST_TOUCHES] if worth[j]]
        return tuple(self._touch(explained, touched, int(touch[j]), float(amount[j]), today) for j in best)

    def _touch(self, explained: Explained, touched: Apportioned, place: int, amount: float, today: date) -> TouchLine:
        (touch,) = touched.touches.slice(place, 1).to_pylist()
        day = touch["occurred_at"].astimezone(self.zone).date()
        named = touch["asset"] or touch["campaign"]
        points = float(explained.scale.points(np.array(amount)))
        return self.touch(touch["touch_id"], touch["kind"], named, day, today, points)

    def touch(self, touch_id: str, kind: str, named: str | None, day: date, today: date, points: float) -> TouchLine:
        """A touch in words; `named` is its asset or else its campaign."""
        what = capitalised(self.language.typeset(self.playbook.kinds[kind].words[self.language.code]))
        on = self.language.date(day, today)
        if named:
            named = self.titles.get(named, named)
            words = self.language.say("{what} on {day}: {named}", what=what, day=on, named=named)
        else:
            words = self.language.say("{what} on {day}", what=what, day=on)
        return TouchLine(touch_id, day, words, points)

    def _change(self, explained: Explained, i: int, since: datetime | None, today: date) -> ChangeLines | None:
        change, scale = explained.change, explained.scale
        if change is None or since is None:
            return None
        day = since.astimezone(self.zone).date()
        rows = change.table[change.table["row"] == i]
        parts = [
            self.touches_part(change.grouping, row, float(scale.points(np.array(row.log_odds))), today)
            for row in rows.itertuples(index=False)
        ]
        steps = {step: float(scale.points(np.array(change.step(step)[i]))) for step in _STEPS}
        parts += self.other_parts(steps, (today - day).days)
        return self.change(day, parts, float(scale.points(change.total[i])))

    def change(self, day: date, parts: Sequence[Part], total: float) -> ChangeLines:
        """What changed since a day, in words; what is not worth saying is everything else."""
        shown = [part for part in parts if abs(part.points) >= _WORTH_SAYING]
        other = everything_else(self.language)
        shown.append(Part(other, other, total - sum(part.points for part in shown)))
        points = whole_points([part.points for part in shown], total)
        kept = [(part, own) for part, own in zip(shown, points, strict=True) if own]
        lines = tuple(Line(capitalised(part.words), own) for part, own in kept)
        words = change_sentence(round(total), [(part.name, float(own)) for part, own in kept], self.language)
        return ChangeLines(day, round(total), words, lines)

    def touches_part(self, grouping: Grouping, row: Any, points: float, today: date) -> Part:
        """What new touches did by way of a family, told by the subject that moved most."""
        family = grouping.subjects[row.subject].family
        name = _uncapitalised(headline(family, playbook=self.playbook, language=self.language))
        return Part(name, self._sentence(grouping, row, today), points)

    def other_parts(self, steps: Mapping[Step, float], days: int) -> list[Part]:
        """What the other steps did."""
        words = (ageing(days, self.language), profile_changed(self.language), new_model(self.language))
        return [Part(name, name, steps[step]) for step, name in zip(_STEPS, words, strict=True)]


class Part(NamedTuple):
    """A part of a change: in few words, in full, and its points."""

    name: str
    words: str
    points: float


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:]
