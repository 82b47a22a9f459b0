"""Dynamics: the world's parameters as arrays, and an account's transition chances and hazards.

The story draws from these, the optimum filters with them: one place for the mathematics of both.
"""

from dataclasses import replace
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.kinds import HUMAN_COUNT
from touchline.features.sources.simulated.streams import part
from touchline.features.sources.simulated.traps import Traps
from touchline.features.sources.simulated.world import INDUSTRIES, REGIONS, ROLES, WEEKLY, World

Floats = NDArray[np.float64]
Records: TypeAlias = Any  # structured arrays; numba reads their fields as attributes, which numpy does not type
Record: TypeAlias = Any  # one row of these

# Sizes the kernels are compiled for
INTENT_COUNT, FIT_COUNT, STYLE_COUNT, DELAY_COUNT, QUARTER_WEEKS = 4, 3, 2, 4, 13

# What is known of a send or a call in a week, first axis of `Dynamics.transition` and `Dynamics.opportunity`
NO, YES, UNSEEN = 0, 1, 2


class Model(Protocol):
    """`World` as one numpy record, so that kernels pass a pointer. Scalars are float64 (weeks and the like int64).

    Z intents, G styles, U hidden fits, K human kinds, R roles, D delays.
    """

    from_week: int  # first week in which these parameters hold
    weeks: int
    horizon: int
    people_apart: int  # people of an account who each live a story of their own; 0: the account lives one
    max_people: int  # per story
    industry_share: Floats
    industry_fit: Floats
    region_share: Floats
    region_fit: Floats
    log_size_mean: float
    log_size_sd: float
    best_log_size: float
    size_penalty: float
    fit_offset: float
    residual_fit: Floats  # (U,)
    residual_share: Floats  # (U,)
    style: Floats  # (G,)
    style_share: Floats  # (G,)
    arrival_rate: Floats  # (Z,)
    role_share: Floats  # (R,)
    attach_chance: Floats  # (R,)
    weekly_rate: Floats  # (K, Z)
    role_multiplier: Floats  # (R, K)
    season: Floats  # (52,)
    burst_gain: float
    burst_memory: float
    send_chance: float
    call_chance: float
    rise_base: Floats  # (Z - 1,)
    rise_fit: Floats  # (Z - 1,)
    rise_send: Floats  # (Z - 1,)
    fall_chance: Floats  # (Z, Z)
    opportunity_hazard: Floats  # (Z,)
    opportunity_fit: float
    opportunity_call: float
    win_hazard: Floats  # (Z,)
    win_fit: float
    closing: Floats  # (weeks of a quarter,)
    lose_hazard: Floats  # (Z,)
    hazard_ceiling: float
    late_weeks_share: Floats  # (D,): chance of a delay of 0, 1, ... weeks
    scanner_account_share: float
    scanner_chance: float


class Models(Protocol):
    """The models of a world in order of `from_week`, the first from week 0: one, or two if the world drifts."""

    @property
    def size(self) -> int:
        """Number of models."""
        ...

    def __getitem__(self, period: int, /) -> Model: ...


def compile_world(world: World, traps: Traps) -> Models:
    """Turn `world` into records, with the two traps that change the model itself built in."""
    rows = [_compile(world, 0, traps)]
    if world.drift is not None:
        rows.append(_compile(_after(world), world.drift.week, traps))
    dtype = np.dtype([(name, value.dtype, value.shape) for name, value in rows[0].items()])
    models = np.recarray(len(rows), dtype)
    for period, row in enumerate(rows):
        for name, value in row.items():
            models[name][period] = value
    return cast("Models", models)


def _compile(world: World, from_week: int, traps: Traps) -> dict[str, NDArray[Any]]:
    _check(world)
    values: dict[str, object] = {name: getattr(world, name, None) for name in Model.__annotations__}
    values["from_week"], values["horizon"] = from_week, world.horizon_weeks
    apart = 0 if world.people_apart is None else world.people_apart
    values["people_apart"] = apart if traps.several_people else min(1, apart)
    if apart or not traps.several_people:
        values["max_people"] = 1
    if not traps.late_facts:
        values["late_weeks_share"] = (1.0, *(0.0 for _ in world.late_weeks_share[1:]))
    arrays = {name: np.asarray(value) for name, value in values.items()}
    return {name: v.astype(np.int64 if v.dtype.kind == "i" else np.float64) for name, v in arrays.items()}


def _after(world: World) -> World:
    """Return the world as it is after its drift."""
    assert world.drift is not None
    week, changes = world.drift.week, dict(world.drift.changes)
    if week < 1:
        raise ValueError(f"World.drift.week must be at least 1, but is {week}. Change the world itself instead.")
    if lasting := sorted(set(changes) - set(WEEKLY)):
        raise ValueError(f"World.drift cannot change {', '.join(lasting)}; it can change {', '.join(WEEKLY)}.")
    return replace(world, **cast("dict[str, Any]", changes))


def stories_per_account(models: Models) -> int:
    """How many rows of a `Story` an account has: one, or one for each of its people who are apart."""
    return max(1, models[0].people_apart)


@part
def period_of(models: Models, week: int) -> int:
    """Position of the model that holds in a week."""
    period = models.size - 1
    while week < models[period].from_week:
        period -= 1
    return period


_SIZES = {
    "industry_share": len(INDUSTRIES),
    "industry_fit": len(INDUSTRIES),
    "region_share": len(REGIONS),
    "region_fit": len(REGIONS),
    "residual_fit": FIT_COUNT,
    "residual_share": FIT_COUNT,
    "style": STYLE_COUNT,
    "style_share": STYLE_COUNT,
    "arrival_rate": INTENT_COUNT,
    "role_share": len(ROLES),
    "attach_chance": len(ROLES),
    "weekly_rate": HUMAN_COUNT,
    "role_multiplier": len(ROLES),
    "rise_base": INTENT_COUNT - 1,
    "rise_fit": INTENT_COUNT - 1,
    "rise_send": INTENT_COUNT - 1,
    "fall_chance": INTENT_COUNT,
    "opportunity_hazard": INTENT_COUNT,
    "win_hazard": INTENT_COUNT,
    "closing": QUARTER_WEEKS,
    "lose_hazard": INTENT_COUNT,
    "late_weeks_share": DELAY_COUNT,
}


def _check(world: World) -> None:
    """Refuse a world whose parameters have the wrong sizes or whose shares do not sum to 1."""
    if world.people_apart is not None and world.people_apart < 1:
        raise ValueError(f"World.people_apart must be at least 1, or None, but is {world.people_apart}.")
    for name, size in _SIZES.items():
        values = getattr(world, name)
        if len(values) != size:
            raise ValueError(f"World.{name} needs {size} values, but has {len(values)}.")
        if name.endswith("_share") and abs(sum(values) - 1.0) > 1e-9:
            raise ValueError(f"World.{name} must sum to 1, but sums to {sum(values):.6g}.")


#: Weekly chances of one account for FIT_COUNT values of its fit: a record, of which kernels pass a pointer.
DYNAMICS = np.dtype(
    [
        ("transition", np.float64, (3, FIT_COUNT, INTENT_COUNT, INTENT_COUNT)),  # by send NO / YES / UNSEEN; from, to
        ("opportunity", np.float64, (3, FIT_COUNT, INTENT_COUNT)),  # by call NO / YES / UNSEEN
        ("win", np.float64, (QUARTER_WEEKS, FIT_COUNT, INTENT_COUNT)),
    ]
)


@part
def fill_dynamics(out: Record, model: Model, u: int, fit: float) -> None:
    """Fill position `u` of `out`, a record of DYNAMICS, with the weekly chances of an account of this fit."""
    for z in range(INTENT_COUNT):
        _fill_transition(out.transition[NO, u, z], model, fit, z, 0.0)
        _fill_transition(out.transition[YES, u, z], model, fit, z, 1.0)
        for to in range(INTENT_COUNT):
            no, yes = out.transition[NO, u, z, to], out.transition[YES, u, z, to]
            out.transition[UNSEEN, u, z, to] = (1.0 - model.send_chance) * no + model.send_chance * yes
        hazard = model.opportunity_hazard[z] * np.exp(model.opportunity_fit * fit)
        no = min(model.hazard_ceiling, hazard)
        yes = min(model.hazard_ceiling, hazard * (1.0 + model.opportunity_call))
        out.opportunity[NO, u, z], out.opportunity[YES, u, z] = no, yes
        out.opportunity[UNSEEN, u, z] = (1.0 - model.call_chance) * no + model.call_chance * yes
        hazard = model.win_hazard[z] * np.exp(model.win_fit * fit)
        for phase in range(QUARTER_WEEKS):
            out.win[phase, u, z] = min(model.hazard_ceiling, hazard * model.closing[phase])


@part
def _fill_transition(chances: Floats, model: Model, fit: float, intent: int, send: float) -> None:
    """Fill `chances` (Z,) with P(next intent | intent, fit, send)."""
    for to in range(INTENT_COUNT):
        chances[to] = model.fall_chance[intent, to]
    if intent + 1 < INTENT_COUNT:
        rise = model.rise_base[intent] + model.rise_fit[intent] * fit + model.rise_send[intent] * send
        chances[intent + 1] = 1.0 / (1.0 + np.exp(-rise))
    stay = 1.0
    for to in range(INTENT_COUNT):
        if to != intent:
            stay -= chances[to]
    chances[intent] = stay
