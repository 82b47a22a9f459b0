"""Lowering: each declaration asks a plan for the accumulators it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from touchline.features.catalog import (
    Account,
    Attribute,
    Burst,
    Catalog,
    Count,
    DaysInStage,
    DaysSince,
    DaysSinceFirst,
    DaysSinceStage,
    Decayed,
    Distinct,
    Feature,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    StageCount,
    StageNow,
    Sum,
    TouchFeature,
    Trend,
)
from touchline.features.kernel.plan import At, Changes, Op, Output, Plan, Stages
from touchline.playbook import Playbook

NONE = At(0)


@dataclass(frozen=True)
class Column:
    """Where a feature's values come out: row `at` of the kernel's numbers or codes, or (static) not of the kernel."""

    feature: Feature
    place: str
    """`number`, `code`, or `static`."""
    at: int
    dimension: str = ""
    """Of codes: what they are codes of."""
    value_type: str = "number"
    """`number`, `text`, `boolean` or `time`: what the values are."""


@dataclass(frozen=True)
class Lowered:
    """A catalogue made ready: a plan for the pass over leads, one for the pass over accounts, and the columns."""

    playbook: Playbook
    by_lead: Plan
    by_account: Plan
    columns: tuple[Column, ...]

    @cached_property
    def numbers(self) -> int:
        """Rows of the kernel's matrix of numbers."""
        return sum(c.place == "number" for c in self.columns)

    @cached_property
    def codes(self) -> int:
        """Rows of the kernel's matrix of codes."""
        return sum(c.place == "code" for c in self.columns)

    @cached_property
    def dimensions(self) -> tuple[str, ...]:
        """What has to be known of each fact besides its class and time."""
        both = [*self.by_lead.dimensions, *self.by_account.dimensions]
        return tuple(d for d in dict.fromkeys(both) if d not in ("day", "person"))

    @property
    def needs_values(self) -> bool:
        """Whether touches' values are summed."""
        return bool(self.by_lead.summed or self.by_account.summed)


def lower(catalog: Catalog) -> Lowered:
    """Plan every feature of a catalogue."""
    by_lead, by_account = Plan(), Plan()
    columns: list[Column] = []
    at = {"number": 0, "code": 0, "static": 0}
    for feature in catalog:
        column = _lower(feature, by_lead, by_account, at, catalog.playbook)
        at[column.place] += 1
        columns.append(column)
    return Lowered(catalog.playbook, by_lead, by_account, tuple(columns))


def _lower(feature: Feature, by_lead: Plan, by_account: Plan, at: dict[str, int], playbook: Playbook) -> Column:
    if isinstance(feature, Attribute):
        return _attribute(feature, by_lead, by_account, at, playbook)
    plan, asked = (by_account, feature.inner) if isinstance(feature, Account) else (by_lead, feature)
    if isinstance(asked, First | Last):
        pick = plan.pick(plan.selector(asked), asked.of, last=isinstance(asked, Last))
        plan.outputs.append(Output(Op.PICK, pick, NONE, 1.0, at["code"]))
        return Column(feature, "code", at["code"], asked.of, "text")
    if isinstance(asked, StageNow):
        pick = plan.pick(plan.selector(Stages()), "stage", last=True)
        plan.outputs.append(Output(Op.PICK, pick, NONE, 1.0, at["code"]))
        return Column(feature, "code", at["code"], "stage", "text")
    op = _touches(plan, asked) if isinstance(asked, TouchFeature) else _journey(plan, asked)
    if op is None:
        return Column(feature, "static", at["static"])
    plan.outputs.append(Output(*op, at["number"]))
    return Column(feature, "number", at["number"])


def _touches(plan: Plan, feature: TouchFeature) -> tuple[Op, At, At, float]:
    mine = plan.selector(feature)
    match feature:
        case Count():
            return Op.COUNT, plan.count(mine, feature.days), NONE, 1.0
        case Sum():
            return Op.SUM, plan.sum(mine, feature.days), NONE, 1.0
        case New():
            before = plan.tally(mine, feature.days, feature.of, outside=True)
            return Op.NEW, plan.tally(mine, None, feature.of), before, 1.0
        case Distinct():
            return Op.DISTINCT, plan.tally(mine, feature.days, feature.of), NONE, 1.0
        case DaysSince():
            return Op.SINCE_LAST, At(mine), NONE, 1.0
        case DaysSinceFirst():
            return Op.SINCE_FIRST, At(mine), NONE, 1.0
        case Gap():
            return Op.GAP, At(mine), plan.count(mine, None), 1.0
        case Decayed():
            decayed = plan.decay(mine, feature.half_life)
            return Op.DECAYED, decayed, At(decayed.column), 1.0
        case Burst():
            return Op.PEAK, plan.tally(mine, feature.days, "day"), NONE, 1.0
        case Trend():
            scale = feature.against / feature.days
            return Op.RATIO, plan.count(mine, feature.days), plan.count(mine, feature.against), scale
        case Share():
            everything = plan.selector(Count())
            return Op.RATIO, plan.count(mine, feature.days), plan.count(everything, feature.days), 1.0
        case Rate():
            per = plan.selector(Count(kind=feature.per))
            return Op.RATIO, plan.count(mine, feature.days), plan.count(per, feature.days), 1.0
        case _:
            raise TypeError(f"{type(feature).__name__} has no way to be computed")


def _journey(plan: Plan, feature: Feature) -> tuple[Op, At, At, float] | None:
    match feature:
        case DaysInStage():
            return Op.SINCE_LAST, At(plan.selector(Stages())), NONE, 1.0
        case DaysSinceStage():
            return Op.SINCE_LAST, At(plan.selector(Stages(feature.stage))), NONE, 1.0
        case StageCount():
            return Op.COUNT, plan.count(plan.selector(Stages(feature.stage)), None), NONE, 1.0
        case _:
            return None


def _attribute(feature: Attribute, by_lead: Plan, by_account: Plan, at: dict[str, int], playbook: Playbook) -> Column:
    declared = playbook.attributes.get(feature.attribute)
    value_type = feature.value_type(playbook)
    if declared is None or declared.known == "creation":
        return Column(feature, "static", at["static"], "", value_type)
    of_account = declared.table == "accounts"
    plan = by_account if of_account else by_lead
    pick = plan.pick(plan.selector(Changes(feature.attribute, of_account)), "changed_value", last=True)
    plan.outputs.append(Output(Op.PICK, pick, NONE, 1.0, at["code"]))
    return Column(feature, "code", at["code"], "changed_value", value_type)
