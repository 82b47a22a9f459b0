"""Who was champion when, and why: events in the registered model's tags, where every MLflow client sees them.

Each event is a tag of its own, so that two at the same time both stay.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from touchline.models.errors import ModelError
from touchline.models.registry.loading import DIGEST, PLAYBOOK, TRAINING

How = Literal["promoted", "rolled back", "elsewhere"]

PREFIX = "touchline.champion."
_LONGEST = 5000
"""Characters that MLflow's databases keep of a tag."""
_TIME = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Event:
    """A version became champion."""

    when: datetime
    version: int
    replaced: int | None
    how: How
    reason: dict[str, Any]

    def to_tag(self) -> tuple[str, str]:
        """Key and value of the tag.

        Raises
        ------
        ModelError
            If the reason is too long, or is not made of what JSON knows.
        """
        content = {"version": self.version, "replaced": self.replaced, "how": self.how, "reason": self.reason}
        try:
            value = json.dumps(content, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError):
            raise ModelError(
                "the reason of a promotion holds what JSON does not know; give plain text, finite numbers, lists, dicts"
            ) from None
        if len(value) > _LONGEST:
            raise ModelError(
                f"the reason of a promotion is too long ({len(value):,} characters; {_LONGEST:,} are kept)"
            )
        return f"{PREFIX}{self.when.strftime(_TIME)}.{secrets.token_hex(4)}", value


@dataclass(frozen=True)
class Promotion:
    """One entry of the history: a version became champion.

    Attributes
    ----------
    version
        Which one.
    when
        UTC; None if it was set by another client, which left no word.
    how
        `promoted`, `rolled back`, or `elsewhere` (by another client, or a promotion that was cut off).
    replaced
        The champion before; None for the first.
    reason
        What whoever promoted it gave.
    champion
        Whether it is champion because of this entry.
    digest, playbook, training
        Digests of model, playbook and training set.
    metrics
        Its metrics, as its run has them.
    """

    version: int
    when: datetime | None
    how: How
    replaced: int | None
    reason: dict[str, Any]
    champion: bool
    digest: str
    playbook: str
    training: str
    metrics: dict[str, float]


def events_of(tags: Mapping[str, str]) -> list[Event]:
    """The events in a registered model's tags, the oldest first."""
    found: list[Event] = []
    for key in sorted(key for key in tags if key.startswith(PREFIX)):
        when = datetime.strptime(key.removeprefix(PREFIX).split(".")[0], _TIME).replace(tzinfo=UTC)
        content = json.loads(tags[key])
        found.append(Event(when, content["version"], content["replaced"], content["how"], content["reason"]))
    return found


def tell(
    events: Sequence[Event], now: int | None, known: Mapping[int, tuple[Mapping[str, str], dict[str, float]]]
) -> list[Promotion]:
    """The history, from events, the champion of now, and each version's tags and metrics."""
    last = next((i for i in reversed(range(len(events))) if events[i].version == now), None)
    elsewhere = now is not None and (not events or events[-1].version != now)
    found = [_told(e, e.when, known, champion=i == last and not elsewhere) for i, e in enumerate(events)]
    if now is not None and elsewhere:
        event = Event(datetime.now(UTC), now, events[-1].version if events else None, "elsewhere", {})
        found.append(_told(event, None, known, champion=True))
    return found


def _told(
    event: Event,
    when: datetime | None,
    known: Mapping[int, tuple[Mapping[str, str], dict[str, float]]],
    *,
    champion: bool,
) -> Promotion:
    tags, metrics = known[event.version]
    return Promotion(
        version=event.version,
        when=when,
        how=event.how,
        replaced=event.replaced,
        reason=event.reason,
        champion=champion,
        digest=tags.get(DIGEST, ""),
        playbook=tags.get(PLAYBOOK, ""),
        training=tags.get(TRAINING, ""),
        metrics=metrics,
    )


def champions_before(events: Iterable[Event], now: int | None) -> list[int]:
    """Versions to go back to from the champion of now, the nearest last.

    A promotion puts a version on the pile, a rollback takes the one from the top away again.
    """
    pile: list[int] = []
    for event in events:
        if event.how == "rolled back":
            while pile and pile[-1] != event.version:
                pile.pop()
        if not pile or pile[-1] != event.version:
            pile.append(event.version)
    if pile and pile[-1] == now:
        pile.pop()
    return pile
