"""Dynamics: the world's parameters as arrays, and an account's transition chances and hazards.

The story draws from these, the optimum filters with them: one place for the mathematics of both.
"""

from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.kinds import HUMAN_COUNT
from touchline.features.sources.simulated.streams import part
from touchline.features.sources.simulated.traps import Traps
from touchline.features.sources.simulated.world import INDUSTRIES, REGIONS, ROLES, World

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

    weeks: int
    horizon: int
    max_people: int
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


def compile_world(world: World, traps: Traps) -> Model:
    """Turn `world` into a record, with the two traps that change the model itself built in."""
    _check(world)
    values: dict[str, object] = {name: getattr(world, name, None) for name in Model.__annotations__}
    values["horizon"] = world.horizon_weeks
    if not traps.several_people:
        values["max_people"] = 1
    if not traps.late_facts:
        values["late_weeks_share"] = (1.0, *(0.0 for _ in world.late_weeks_share[1:]))
    arrays = {name: np.asarray(value) for name, value in values.items()}
    arrays = {name: v.astype(np.int64 if v.dtype.kind == "i" else np.float64) for name, v in arrays.items()}
    record = np.recarray(1, np.dtype([(name, value.dtype, value.shape) for name, value in arrays.items()]))
    for name, value in arrays.items():
        record[name][0] = value
    return cast("Model", record[0])


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
