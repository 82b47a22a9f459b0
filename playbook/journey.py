"""The customer journey and the hand-over: stages, what a win is, who gets which lead when, and the shared KPIs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from touchline.playbook.base import Duration, Name, Section, Words, meanings

StageRole = Literal["lead", "mql", "sal", "sql", "opportunity", "won", "lost", "recycled"]


class Stage(Section):
    """One step of the journey, in the order of the file."""

    name: Name
    """What this company calls the stage."""
    role: StageRole
    """Which step of the common journey it is; several stages may share a role."""
    owner: Literal["marketing", "sales"]
    """Which team answers for a lead that stands here."""
    raw: list[str] = []
    """Values in the source data that mean this stage; the name itself always does."""
    words: Words

    @property
    def raw_values(self) -> list[str]:
        """All source values that mean this stage."""
        return meanings(self.name, self.raw)


class Outcome(Section):
    """What is predicted: a deal won within `[as_of + gap, as_of + gap + horizon)`."""

    horizon: Duration
    """How far ahead a win counts."""
    gap: Duration = timedelta(0)
    """Time between the score and the first day that counts, for teams that need a head start."""
    credit: Literal["lead", "account"] = "lead"
    """Whose win it is: the person on the deal, or everybody of the account."""
    minimum_amount: Annotated[float, Field(ge=0)] = 0
    """Smaller deals are not wins (in the currency of the deals)."""

    @field_validator("horizon")
    @classmethod
    def _positive(cls, value: Duration) -> Duration:
        if not value:
            raise PydanticCustomError("horizon", "must be longer than nothing")
        return value


class Snapshots(Section):
    """Which (lead, as_of) rows a model learns from and scores."""

    every: Literal["day", "week", "month"] = "week"
    """Distance between as-of dates; weeks start on Monday."""
    active_within: Duration
    """A lead is eligible while a touch of an engagement kind is at most this old."""
    open_deals: Literal["leave_out", "keep"] = "leave_out"
    """Whether leads whose deal is already open are scored."""


class Capacity(Section):
    """What sales can take on."""

    people: Annotated[int, Field(ge=1)]
    """Salespeople who take leads."""
    per_person_per_week: Annotated[float, Field(gt=0)]
    """Leads one of them can work in a week."""


class Handoff(Section):
    """When marketing hands a lead over, and how soon sales must act."""

    capacity: Capacity | None = None
    """The best leads up to what sales can take on; or else `threshold`."""
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Every lead at or above this probability; or else `capacity`."""
    sla: Duration
    """Time within which sales must accept or reject."""


class Contact(Section):
    """How often a person may be written to or called, and which touches mean that somebody attended."""

    most_per_7_days: Annotated[int, Field(ge=1)] = 3
    """Touches by marketing and sales, together, that a person gets at most in 7 days."""
    most_per_30_days: Annotated[int, Field(ge=1)] = 8
    """The same in 30 days."""
    attended: list[Name] = []
    """Touch kinds that are attendance, the strongest answer to what was told; other interest is reading."""

    @model_validator(mode="after")
    def _limits_rise(self) -> Contact:
        if self.most_per_30_days < self.most_per_7_days:
            raise PydanticCustomError("contact", "allows fewer touches in 30 days than in 7")
        return self


class RejectionReason(Section):
    """Why sales may send a lead back."""

    name: Name
    recycle_after: Duration | None = None
    """When the lead may be handed over again; left out means never."""
    words: Words


class Kpi(Section):
    """A number both teams are judged by."""

    name: Literal[
        "handed_over", "accepted_share", "hours_to_first_call", "recycled_share", "wins", "win_rate", "won_amount"
    ]
    owner: Literal["marketing", "sales", "both"]
    target: float | None = None
    words: Words
