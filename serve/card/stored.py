"""Cards from the score store: what a batch said of a lead, in words, without model or data at hand."""

from __future__ import annotations

from datetime import datetime, time
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from touchline.features.catalog import Catalog, Feature
from touchline.models.reasons import STEPS, Grouping, Subject
from touchline.models.reasons.rounding import whole_points
from touchline.models.reasons.texts import told
from touchline.models.reasons.words import base_line, capitalised, everything_else, headline
from touchline.models.scorer.ladder import Rung
from touchline.playbook import Playbook, parse_playbook
from touchline.playbook.language import Language
from touchline.serve.card.build import MOST_TOUCHES, TELL_CHANCES, Part, Writer
from touchline.serve.card.card import ChangeLines, LeadCard, Line, ReasonLine, TouchLine
from touchline.serve.card.insight import Words
from touchline.serve.store import Batch, StoredLead


def stored_card(lead: StoredLead, language: str | None = None) -> LeadCard:
    """The card of a lead as its batch tells it.

    Parameters
    ----------
    lead
        As `Store.lead` gives it.
    language
        One that the batch's playbook speaks; its first by default.

    Raises
    ------
    ValueError
        If it does not speak the language.
    """
    meta = lead.batch.lineage.meta
    playbook = _parsed(meta["playbook"])
    features = [Feature.from_plain(of["feature"]) for of in meta["subjects"] if of["feature"]]
    language = language or playbook.languages[0]
    if language not in playbook.languages:
        raise ValueError(f"the playbook speaks {', '.join(playbook.languages)}, not {language!r}; name one of these")
    return _Teller(lead, playbook, Catalog(playbook, features), _grouping_of(meta), Language.of(language)).card()


_parsed = lru_cache(maxsize=8)(parse_playbook)


def _grouping_of(meta: dict[str, Any]) -> Grouping:
    """Subjects and families, as places in the batch's rows name them."""
    subjects = tuple(Subject(of["family"], of["about"], of["of"], of["scope"]) for of in meta["subjects"])
    families = tuple(of["name"] for of in meta["families"])
    return Grouping((), np.zeros(0, np.intp), subjects, (), families)


class _Teller:
    """Tells one lead."""

    def __init__(
        self, lead: StoredLead, playbook: Playbook, catalog: Catalog, grouping: Grouping, language: Language
    ) -> None:
        batch: Batch = lead.batch
        self.meta, self.part, self.lineage = batch.lineage.meta, lead.part, batch.lineage
        self.grouping, self.catalog, self.language = grouping, catalog, language
        rung = Rung(self.meta["rung"])
        called = f"{self.lineage.model} {self.lineage.version}"
        self.writer = Writer(playbook, catalog, language, rung, self.meta["alike"], called, self.meta["titles"])
        self.as_of: datetime = self.lineage.as_of.astimezone(self.writer.zone)
        self.today = self.as_of.date()

    def card(self) -> LeadCard:
        """The card."""
        (score,) = self.part.scores.to_pylist()
        chances = (score["probability"], score["low"], score["high"])
        probability, low, high = chances if self.writer.rung in TELL_CHANCES else (None, None, None)
        touches = self.part.touches.to_pylist()
        base, reasons, rest = self._lines(score["score"], touches)
        words = Words(self.writer.playbook, self.language, self.today, self.writer.titles)
        pressure = self.part.pressure.to_pylist()
        return LeadCard(
            lead_id=score["lead_id"],
            account_id=score["account_id"],
            as_of=self.as_of,
            language=self.language.code,
            rung=self.writer.rung,
            alike=self.writer.alike,
            chance=self.writer.chance(*chances),
            probability=probability,
            low=low,
            high=high,
            score=round(score["score"]),
            tier=score["tier"],
            grade=score["grade"],
            flames=score["flames"],
            base=base,
            reasons=reasons,
            rest=rest,
            change=self._change(score["change"]),
            touches=self._overall(touches),
            insight=words.insight(
                self.part.moments.to_pylist(), self.part.told.to_pylist(), self.part.share.to_pylist(),
                pressure[0] if pressure else None,
            ),
            model=self.writer.model,
        )  # fmt: skip

    def _lines(self, score: float, touches: list[dict[str, Any]]) -> tuple[Line, tuple[ReasonLine, ...], Line]:
        rows = self.part.reasons.to_pylist()
        base, given = self.meta["base"], [row["points"] for row in rows]
        points = whole_points([base, *given, score - base - sum(given)], score)
        lines = [
            ReasonLine(self._sentence(row), own, name, self._headline(name), self._of_family(row["family"], touches))
            for row, own in zip(rows, points[1:], strict=False)
            if own
            for name in (self.grouping.families[row["family"]],)
        ]
        first, last = (capitalised(line(self.language)) for line in (base_line, everything_else))
        return Line(first, points[0]), tuple(lines), Line(last, points[-1])

    def _sentence(self, row: dict[str, Any]) -> str:
        facts = SimpleNamespace(
            subject=row["subject"],
            count=-1 if row["count"] is None else row["count"],
            against=-1 if row["against"] is None else row["against"],
            last=datetime.combine(row["last"], time()) if row["last"] is not None else np.nan,
            value=row["value"],
        )
        return told(facts, self.grouping, self.catalog, self.language, self.today)

    def _headline(self, family: str) -> str:
        return headline(family, playbook=self.writer.playbook, language=self.language)

    def _of_family(self, family: int, touches: list[dict[str, Any]]) -> tuple[TouchLine, ...]:
        return tuple(self._touch(row) for row in touches if row["family"] == family)[:MOST_TOUCHES]

    def _overall(self, touches: list[dict[str, Any]]) -> tuple[TouchLine, ...]:
        """The touches that count most for the lead, which are kept without a family."""
        return tuple(self._touch(row) for row in touches if row["family"] is None)

    def _touch(self, row: dict[str, Any]) -> TouchLine:
        return self.writer.touch(row["touch_id"], row["kind"], row["asset"], row["day"], self.today, row["points"])

    def _change(self, total: float | None) -> ChangeLines | None:
        if total is None or self.meta["earlier"] is None:
            return None
        day = datetime.fromisoformat(self.meta["earlier"]["as_of"]).astimezone(self.writer.zone).date()
        rows = self.part.changes.to_pylist()
        parts: list[Part] = []
        for row in rows:
            if row["subject"] is not None:
                name = self._headline(self.grouping.subjects[row["subject"]].family)
                parts.append(Part(name[:1].lower() + name[1:], name, row["points"]))
        steps = dict.fromkeys(STEPS, 0.0)
        for row in rows:
            if row["subject"] is None:
                steps[STEPS[row["step"]]] += row["points"]
        parts += self.writer.other_parts(steps, (self.today - day).days)
        return self.writer.change(day, parts, total)
