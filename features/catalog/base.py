"""What every declaration shares: which facts it looks at, and how it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple

from touchline.playbook import Playbook

OneOrMore = str | tuple[str, ...]
"""A name of the playbook, or several of them: any of these."""


class FactClass(NamedTuple):
    """All that facts of one class have in common; a feature counts all of them or none."""

    table: Literal["touches", "stages", "changes"]
    kind: str
    """Of touches the kind, of stages the stage, of changes the field."""
    channel: str | None = None
    topic: str | None = None
    direction: str | None = None
    machine: bool = False
    copied: bool = False
    """Whether a merge brought it: it counts for the lead, and for the account it is there already."""
    of_account: bool = False
    """Of changes: whether the field is the account's."""


class CatalogError(ValueError):
    """A feature that cannot be; the message says which, why, and what would do."""


@dataclass(frozen=True)
class Feature:
    """One feature: what it is, apart from how and where it is computed.

    Attributes
    ----------
    name
        Its column; made from its parameters if left out, and the same on every machine and every day.
    family
        The group of reasons it belongs to; the playbook's family of its kinds if left out.
    monotone
        1 if more of it may never count against a lead, -1 if never for one, 0 for either way. It changes no number of
        the feature, only what a model may learn from it, and binds trees only. Still, two features of one name that
        differ in it are two declarations, for the catalogue could not say which of the two binds.
    """

    _: KW_ONLY
    name: str = ""
    family: str = ""
    monotone: Literal[-1, 0, 1] = 0

    unit: ClassVar[str] = ""
    """What the numbers count: `touches`, `days`, `people` …; empty for categories and ratios."""
    is_category: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # frozen, and hashable
                object.__setattr__(self, field.name, tuple(value))
        if not self.name:
            object.__setattr__(self, "name", self.default_name())

    def default_name(self) -> str:
        """The name its parameters give it."""
        raise NotImplementedError

    def default_family(self, playbook: Playbook) -> str:
        """The family it belongs to unless the user says otherwise."""
        raise NotImplementedError

    def problem(self, playbook: Playbook) -> str | None:
        """Why it cannot be computed under this playbook, or nothing."""
        raise NotImplementedError

    def to_plain(self) -> dict[str, Any]:
        """As plain data for JSON, from which `Feature.from_plain` makes it again."""
        return {k: v.to_plain() if isinstance(v, Feature) else v for k, v in self.to_dict().items()}

    @staticmethod
    def from_plain(content: Mapping[str, Any]) -> Feature:
        """The declaration that `to_plain` described.

        Raises
        ------
        CatalogError
            If there is no such type of feature.
        """
        from touchline.features import catalog

        kind = getattr(catalog, content["type"], None)
        if not (isinstance(kind, type) and issubclass(kind, Feature)):
            raise CatalogError(f"there is no feature of type {content['type']!r}; it was made by another Touchline")
        given = {k: Feature.from_plain(v) if isinstance(v, dict) else v for k, v in content.items() if k != "type"}
        return kind(**given)

    def to_dict(self) -> dict[str, Any]:
        """As plain data: the type and every parameter that is set."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "monotone" or self.monotone}
        return {"type": type(self).__name__, **{k: v for k, v in given.items() if v not in ((), "", None)}}


@dataclass(frozen=True)
class TouchFeature(Feature):
    """A feature of touches; each filter is a name or several, and what is left out does not matter.

    Touches made by machines are left out unless `machine` says True (only them) or None (both).
    """

    _: KW_ONLY
    kind: OneOrMore = ()
    channel: OneOrMore = ()
    topic: OneOrMore = ()
    direction: OneOrMore = ()
    of_family: OneOrMore = ()
    """Kinds of these families of the playbook."""
    engagement: bool | None = None
    """True: only kinds that show interest."""
    machine: bool | None = False

    def matches(self, fact: FactClass, playbook: Playbook) -> bool:
        """Whether facts of a class are among those it looks at."""
        if fact.table != "touches" or (self.machine is not None and fact.machine is not self.machine):
            return False
        kind = playbook.kinds[fact.kind]
        if self.engagement is not None and kind.engagement is not self.engagement:
            return False
        asked = (
            (self.kind, fact.kind),
            (self.channel, fact.channel),
            (self.topic, fact.topic),
            (self.direction, fact.direction),
            (self.of_family, kind.family),
        )
        return all(not wanted or value in several(wanted) for wanted, value in asked)

    @property
    def filters(self) -> tuple[Any, ...]:
        """What decides which touches it looks at; features with equal filters look at the same ones."""
        asked = (self.kind, self.channel, self.topic, self.direction, self.of_family)
        return (*(tuple(sorted(several(a))) for a in asked), self.engagement, self.machine)

    @property
    def slug(self) -> str:
        """The filters, as part of a name."""
        parts = ["_or_".join(several(self.kind))]
        named = (("family", self.of_family), ("channel", self.channel), ("topic", self.topic))
        parts += [f"{what}_{'_or_'.join(several(wanted))}" for what, wanted in named if wanted]
        parts += ["_or_".join(several(self.direction))]
        parts += {None: [], True: ["interest"], False: ["no_interest"]}[self.engagement]
        parts += {None: ["with_machines"], True: ["machine"], False: []}[self.machine]
        return "_".join(part for part in parts if part) or "any"

    def default_family(self, playbook: Playbook) -> str:
        """The playbook's family if all its kinds are of one; else `interest`, or `machine` for what machines did."""
        if self.machine:
            return "machine"
        families = {playbook.kinds[k].family for k in several(self.kind) if k in playbook.kinds}
        families |= set(several(self.of_family))
        return families.pop() if len(families) == 1 else "interest"

    def problem(self, playbook: Playbook) -> str | None:
        """Why it cannot be computed: a name that the playbook does not have, or impossible lengths of time."""
        known = (
            ("kind", self.kind, list(playbook.kinds)),
            ("family", self.of_family, list(playbook.families)),
            ("direction", self.direction, ["inbound", "outbound", "sales"]),
            ("channel", self.channel, list(playbook.channels)),
            ("topic", self.topic, list(playbook.topics)),
        )
        for what, wanted, names in known:
            for name in several(wanted):
                if name not in names and (names or what in ("kind", "family", "direction")):
                    return unknown(what, name, names)
        return None


def several(names: OneOrMore) -> tuple[str, ...]:
    """One name or several, as several."""
    return (names,) if isinstance(names, str) else names


def unknown(what: str, name: str, names: list[str]) -> str:
    """What to say of a name that does not exist."""
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1)
    return f"there is no {what} {name!r}; " + (
        f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    )


def positive(what: str, days: float | None) -> str | None:
    """What to say of a length of time that is none; `None` stands for all of history."""
    if days is None or 0 < days <= 36_525:
        return None
    return f"{what} must be more than 0 and at most 36525 days, not {days}"
