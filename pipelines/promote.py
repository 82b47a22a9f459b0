"""The promotion job: the challenger against the champion on rows that neither saw, and the rule."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.features import Catalog, build_scoring_set, build_training_set
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.models.promotion import Verdict, challenge
from touchline.models.registry import CHALLENGER, CHAMPION
from touchline.playbook import Playbook

if TYPE_CHECKING:
    from touchline.models.registry import LoadedModel, Registry


@dataclass(frozen=True)
class Judgement:
    """Whether a challenger may score from now on.

    Attributes
    ----------
    challenger
        Its version.
    champion
        The version that scores now; None if there is none yet.
    verdict
        How the two compare; None if there is nobody to compare with.
    allowed, words
        The outcome, and why.
    """

    challenger: int
    champion: int | None
    verdict: Verdict | None
    allowed: bool
    words: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON, and for the history."""
        rule = self.verdict.to_dict() if self.verdict else {}
        return {
            "challenger": self.challenger,
            "champion": self.champion,
            "allowed": self.allowed,
            "words": self.words,
            **rule,
        }


def judge_challenger(
    tables: Tables,
    playbook: Playbook,
    registry: Registry,
    *,
    which: str | int = CHALLENGER,
    catalog: Catalog | None = None,
    memory: str = "2GB",
    draws: int = 1000,
    progress: Progress = lambda step: None,
) -> Judgement:
    """Hold a challenger against the champion, by the playbook's rule.

    Without a champion, a challenger may score if it found something in the data.

    Raises
    ------
    ModelError
        If there is no challenger, or a model is damaged.
    DataError
        If there are no later rows to judge by.
    """
    challenger = registry.load(which)
    now = registry.aliases().get(CHAMPION)
    if now is None:
        return _first(challenger)
    champion = registry.load(now)
    if champion.version == challenger.version:
        return Judgement(challenger.version, now, None, False, f"version {now} is champion already")
    twins = registry.load_twin(now), registry.load_twin(challenger.version)
    catalog = catalog or Catalog.default(playbook)
    with tempfile.TemporaryDirectory(prefix="touchline-compare-") as scratch:
        later = build_training_set(
            tables, playbook, catalog=catalog, first=max(twin.judged_from for twin in twins),
            out=Path(scratch) / "later", memory=memory, progress=progress,
        )  # fmt: skip
        today = build_scoring_set(
            tables, playbook, _end_of(tables), catalog=catalog, out=Path(scratch) / "today", memory=memory,
            progress=progress,
        )  # fmt: skip
        progress("comparing")
        verdict = challenge(
            champion.model, challenger.model, twins=(twins[0].model, twins[1].model), later=later, today=today,
            playbook=playbook, scale=challenger.scale, draws=draws,
        )  # fmt: skip
    return Judgement(challenger.version, now, verdict, verdict.promoted, verdict.words)


def _first(challenger: LoadedModel) -> Judgement:
    found = bool(challenger.model.parts)
    words = (
        "there is no champion yet, and the challenger is surely better than the base rate"
        if found
        else "the challenger says no more than the base rate: " + challenger.model.facts["choice"]["reason"]
    )
    return Judgement(challenger.version, None, None, found, words)


def _end_of(tables: Tables) -> datetime:
    return datetime.fromisoformat(tables.manifest["result"]["last"])
