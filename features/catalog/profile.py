"""Declarations that are not about the lead's touches: its account, its journey, who it is, and the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from touchline.features.catalog.base import Feature, TouchFeature, unknown
from touchline.features.catalog.touches import Distinct, New
from touchline.playbook import Playbook

AFTER_THE_OUTCOME = ("won", "lost")
"""Roles of stages that are the outcome: they are never features."""


@dataclass(frozen=True)
class Account(Feature):
    """A feature of touches over all people of the lead's account, the lead itself included.

    A lead without an account is an account of its own. Touches count for the lead that made them; what a merge brought
    to another lead is not counted twice.
    """

    of: TouchFeature | None = None

    @property
    def inner(self) -> TouchFeature:
        """The feature that is taken over the account."""
        assert self.of is not None
        return self.of

    @property
    def unit(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it follows from `of`
        """The unit of the inner feature."""
        return self.inner.unit

    @property
    def is_category(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the inner feature is a category."""
        return self.inner.is_category

    def default_name(self) -> str:
        return f"account_{self.inner.name}" if isinstance(self.of, TouchFeature) else "account"

    def default_family(self, playbook: Playbook) -> str:
        return "buying_group"

    def problem(self, playbook: Playbook) -> str | None:
        if not isinstance(self.of, TouchFeature):
            return "Account takes one feature of touches, such as Account(Count(30))"
        return self.of.problem(playbook)


def people(days: int, **filters: object) -> Account:
    """How many people of the account were active in the last `days`."""
    return Account(Distinct(days, of="person", engagement=True, **filters))  # type: ignore[arg-type]


def new_people(days: int, **filters: object) -> Account:
    """How many people of the account became active in the last `days` for the first time."""
    return Account(New(days, of="person", engagement=True, **filters))  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Journey(Feature):
    def default_family(self, playbook: Playbook) -> str:
        del playbook
        return "journey"

    def problem(self, playbook: Playbook) -> str | None:
        del playbook
        return None


@dataclass(frozen=True)
class StageNow(_Journey):
    """The stage the lead stands in: the one entered last. Won and lost, being the outcome, are left out."""

    is_category: ClassVar[bool] = True

    def default_name(self) -> str:
        return "stage"


@dataclass(frozen=True)
class DaysInStage(_Journey):
    """Days since the last change of stage."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return "days_in_stage"


@dataclass(frozen=True)
class _OfStage(_Journey):
    stage: str = ""

    def problem(self, playbook: Playbook) -> str | None:
        roles = {stage.name: stage.role for stage in playbook.stages}
        if self.stage not in roles:
            return unknown("stage", self.stage, list(roles))
        if roles[self.stage] in AFTER_THE_OUTCOME:
            return f"the stage {self.stage!r} is the outcome itself; take one before it"
        return None


@dataclass(frozen=True)
class DaysSinceStage(_OfStage):
    """Days since the lead last entered a stage; missing if it never did."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return f"days_since_stage_{self.stage}"


@dataclass(frozen=True)
class StageCount(_OfStage):
    """How often the lead entered a stage."""

    unit: ClassVar[str] = "times"

    def default_name(self) -> str:
        return f"stage_{self.stage}_times"


@dataclass(frozen=True)
class Attribute(Feature):
    """A property of the lead or its account, as it was known at as_of.

    With `known = "creation"` it is the value in the table, from when the lead (or account) was known on; with `known =
    "history"` the last change known before as_of. Attributes of type time become the days since then.
    """

    attribute: str = ""
    kind_of_value: ClassVar[str] = "attribute"

    def default_name(self) -> str:
        return self.attribute

    def default_family(self, playbook: Playbook) -> str:
        return "fit"

    def problem(self, playbook: Playbook) -> str | None:
        if self.attribute in CONTACT:
            return None
        if self.attribute not in playbook.attributes:
            return unknown("attribute", self.attribute, [*playbook.attributes, *CONTACT])
        if playbook.attributes[self.attribute].known == "never":
            return f'the attribute {self.attribute!r} has known = "never": what it was at as_of cannot be known'
        return None

    def value_type(self, playbook: Playbook) -> str:
        """`text`, `number`, `boolean` or `time`."""
        return "text" if self.attribute in CONTACT else playbook.attributes[self.attribute].type


CONTACT = ("email_domain_kind",)
"""Columns of the table leads that are fixed when the lead is created. A language is not: people correct it."""


@dataclass(frozen=True)
class Age(Feature):
    """Days since the lead was created."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return "age"

    def default_family(self, playbook: Playbook) -> str:
        return "timing"

    def problem(self, playbook: Playbook) -> str | None:
        return None


@dataclass(frozen=True)
class Calendar(Feature):
    """Where as_of stands in the calendar (UTC).

    `day_of_week` is 1 (Monday) to 7, `month` 1 to 12, `week_of_quarter` 1 to 14, `days_to_quarter_end` counts the days
    left including today.
    """

    part: Literal["day_of_week", "month", "week_of_quarter", "days_to_quarter_end"] = "week_of_quarter"

    def default_name(self) -> str:
        return self.part

    def default_family(self, playbook: Playbook) -> str:
        return "timing"

    def problem(self, playbook: Playbook) -> str | None:
        parts = ["day_of_week", "month", "week_of_quarter", "days_to_quarter_end"]
        return None if self.part in parts else unknown("part of the calendar", self.part, parts)
