"""The story: what happens to each account, week by week, before any record of it is written.

Accounts are independent, so one kernel lives them one after another; memory grows with what happens, not with
weeks x accounts x people x kinds.

Where people are apart (`World.people_apart`), each of them lives an account's story alone: a row of `Story.accounts` is
then one person's share of the account, and `company` tells which rows are one account.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.dynamics import (
    DYNAMICS,
    QUARTER_WEEKS,
    Floats,
    Model,
    Models,
    Record,
    Records,
    fill_dynamics,
    period_of,
)
from touchline.features.sources.simulated.kinds import (
    BURST_KINDS,
    HUMAN_COUNT,
    MAIL_KINDS,
)
from touchline.features.sources.simulated.streams import kernel, normal, part, pick, poisson, restart, uniform

NO_DEAL, OPEN_DEAL, WON_DEAL = 0, 1, 2
NEVER = 32_000  # a week after all others

Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Weeks = NDArray[np.int16]
Counts = NDArray[np.int64]

ACCOUNT = np.dtype(
    [
        ("company", np.int32),  # the row whose id, profile and name the account goes by in the tables
        ("industry", np.int8),
        ("region", np.int8),
        ("employees", np.int32),
        ("visible_fit", np.float64),  # fit points that follow from the three fields above
        ("won_week", np.int16),  # NEVER if not won
        ("people_start", np.int32),  # the account's people: people_start .. people_end
        ("people_end", np.int32),
        ("touch_start", np.int32),  # the account's touches: touch_start .. touch_end
        ("touch_end", np.int32),
    ]
)
PERSON = np.dtype(
    [
        ("account", np.int32),  # position in the block
        ("arrival", np.int16),  # week
        ("role", np.int8),
        ("attached", np.bool_),  # on the deal, should it be won
    ]
)
TOUCH = np.dtype(
    [
        ("person", np.int32),  # position in the block
        ("week", np.int16),
        ("kind", np.int8),  # code of a human kind
    ]
)


class Story(NamedTuple):
    """All that happened to a block of N accounts in T weeks."""

    first_account: int
    accounts: Records  # (N,) of ACCOUNT
    people: Records  # (P,) of PERSON, in order of account and arrival
    touches: Records  # (M,) of TOUCH, in order of account and week
    send: Bools  # (N, T) marketing mails the account in the week; nobody gets it while nobody is there
    call: Bools  # (N, T)
    deal: Codes  # (N, T + 1) NO_DEAL, OPEN_DEAL or WON_DEAL at the start of each week


@kernel
def live(models: Models, key: np.uint64, first_account: int, accounts: int) -> Story:
    """Live the accounts `first_account` .. `first_account + accounts`; `key` belongs to `Stream.STORY`.

    Where people are apart, both numbers must be multiples of `people_apart`.
    """
    story = _blank(models[0], first_account, accounts)
    touches = np.empty(64 * accounts + 64, TOUCH)  # grows when needed
    state = np.empty(4, np.uint64)
    rates = np.empty(HUMAN_COUNT)
    dynamics = np.empty(models.size, DYNAMICS)  # read anew each week: a record does not keep its array alive
    people = 0
    used = 0
    for a in range(accounts):
        account = story.accounts[a]
        restart(state, key, first_account + a)
        residual, style = _draw_account(state, models[0], account)
        _join_company(story.accounts, a, models[0].people_apart)
        for period in range(models.size):
            fill_dynamics(dynamics[period], models[period], 0, account.visible_fit + residual)
        account.people_start, account.touch_start = people, used
        heat = np.zeros((models[0].max_people, len(BURST_KINDS)))
        intent = 0
        for week in range(models[0].weeks):
            period = period_of(models, week)
            model, chances = models[period], dynamics[period]
            story.send[a, week] = uniform(state) < model.send_chance
            story.call[a, week] = uniform(state) < model.call_chance
            if week > 0:
                intent = pick(state, chances.transition[int(story.send[a, week]), 0, intent], 1.0)
            free = account.people_start + model.max_people - people
            arrivals = min(poisson(state, model.arrival_rate[intent] * style), free)
            _register(state, model, story.people[people : people + arrivals], a, week)
            people += arrivals
            scale = style * model.season[week % model.season.size]
            for p in range(account.people_start, people):
                own_heat = heat[p - account.people_start]
                total = _fill_rates(rates, own_heat, model, story.people[p].role, story.send[a, week], intent, scale)
                count = poisson(state, total)
                if used + count > touches.size:
                    touches = _grown(touches, used + count)
                _touch(state, touches[used : used + count], rates, total, p, week)
                _warm(own_heat, model, touches[used : used + count])
                used += count
            if people > account.people_start or model.people_apart == 0:  # a person's own deal needs the person
                intent = _move_deal(state, model, chances, story.deal[a], bool(story.call[a, week]), week, intent)
            if story.deal[a, week + 1] == WON_DEAL:
                account.won_week = week
                break
        account.people_end, account.touch_end = people, used
    return Story(
        first_account,
        story.accounts,
        story.people[:people].copy(),
        touches[:used].copy(),
        story.send,
        story.call,
        story.deal,
    )


@part
def _blank(model: Model, first_account: int, accounts: int) -> Story:
    story = Story(
        first_account,
        np.zeros(accounts, ACCOUNT),
        np.zeros(accounts * model.max_people, PERSON),
        np.zeros(0, TOUCH),
        np.zeros((accounts, model.weeks), np.bool_),
        np.zeros((accounts, model.weeks), np.bool_),
        np.zeros((accounts, model.weeks + 1), np.int8),
    )
    for a in range(accounts):
        story.accounts[a].won_week = NEVER
    return story


@part
def _grown(rows: Records, needed: int) -> Records:
    larger = np.empty(max(needed, 2 * rows.size), TOUCH)
    for row in range(rows.size):
        larger[row] = rows[row]
    return larger


@part
def _draw_account(state: NDArray[np.uint64], model: Model, account: Record) -> tuple[float, float]:
    """Draw what the account is; returns the residual of its fit and its style, both hidden."""
    industry = pick(state, model.industry_share, 1.0)
    region = pick(state, model.region_share, 1.0)
    employees = max(1.0, np.rint(np.exp(model.log_size_mean + model.log_size_sd * normal(state))))
    distance = np.log(employees) - model.best_log_size
    visible = model.industry_fit[industry] + model.region_fit[region] + model.fit_offset
    visible -= model.size_penalty * distance * distance
    account.industry, account.region = industry, region
    account.employees, account.visible_fit = int(employees), visible
    residual = model.residual_fit[pick(state, model.residual_share, 1.0)]
    return residual, model.style[pick(state, model.style_share, 1.0)]


@part
def _join_company(accounts: Records, a: int, people_apart: int) -> None:
    """Give the row its company, and the people of one account what is visible of the first."""
    company = a - a % people_apart if people_apart > 0 else a
    accounts[a].company = company
    accounts[a].industry, accounts[a].region = accounts[company].industry, accounts[company].region
    accounts[a].employees, accounts[a].visible_fit = accounts[company].employees, accounts[company].visible_fit


@part
def _register(state: NDArray[np.uint64], model: Model, people: Records, a: int, week: int) -> None:
    """Draw the people who arrive in a week."""
    for p in range(people.size):
        role = pick(state, model.role_share, 1.0)
        people[p].account, people[p].arrival, people[p].role = a, week, role
        people[p].attached = uniform(state) < model.attach_chance[role]


@part
def _fill_rates(rates: Floats, heat: Floats, model: Model, role: int, send: bool, intent: int, scale: float) -> float:
    """Fill `rates` (K,) with a person's touches per week; returns their sum."""
    for kind in range(rates.size):
        rates[kind] = model.weekly_rate[kind, intent] * model.role_multiplier[role, kind] * scale
    if not send:
        for kind in MAIL_KINDS:
            rates[kind] = 0.0
    for burst in range(len(BURST_KINDS)):
        rates[BURST_KINDS[burst]] += model.burst_gain * heat[burst]
    return rates.sum()


@part
def _touch(state: NDArray[np.uint64], out: Records, rates: Floats, total: float, person: int, week: int) -> None:
    """Draw the kinds of a person's touches of one week: given their number, they follow the rates."""
    for row in range(out.size):
        out[row].person, out[row].week = person, week
        out[row].kind = pick(state, rates, total)


@part
def _warm(heat: Floats, model: Model, touches: Records) -> None:
    """Move a person's burst heat on by a week with these touches."""
    for burst in range(len(BURST_KINDS)):
        for row in range(touches.size):
            heat[burst] += touches[row].kind == BURST_KINDS[burst]
        heat[burst] *= model.burst_memory


@part
def _move_deal(
    state: NDArray[np.uint64],
    model: Model,
    chances: Record,
    deal: Codes,
    call: bool,
    week: int,
    intent: int,
) -> int:
    """Open, win or lose a deal at the end of the week; returns the intent, dormant after a loss."""
    draw = uniform(state)
    deal[week + 1] = deal[week]
    if deal[week] == NO_DEAL:
        if draw < chances.opportunity[int(call), 0, intent]:
            deal[week + 1] = OPEN_DEAL
        return intent
    win = chances.win[week % QUARTER_WEEKS, 0, intent]
    if draw < win:
        deal[week + 1 :] = WON_DEAL
    elif draw < win + model.lose_hazard[intent]:
        deal[week + 1] = NO_DEAL
        return 0
    return intent
