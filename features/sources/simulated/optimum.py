"""The optimum: exact chance that an account is won within the horizon, given all facts known before an as-of date.

A forward filter keeps the joint chance of the hidden intent, fit residual and style (4 x 3 x 2 states in the default
world), as in Rabiner (1989), "A tutorial on hidden Markov models", Proc. IEEE 77(2). Facts recorded late make the last
weeks before an as-of date incomplete, so these are filtered again with what was known by then. From the belief about
the as-of week a backward recursion over the horizon gives the chance to win, sends and calls to come averaged out.

Sends and calls are visible only in weeks in which somebody is there; in all others the filter averages over them.

Each week has its own parameters (`period_of`), in the filter as in the recursion. Where people are apart, an account
here is one person's share of it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.dynamics import (
    DELAY_COUNT,
    DYNAMICS,
    FIT_COUNT,
    INTENT_COUNT,
    QUARTER_WEEKS,
    STYLE_COUNT,
    UNSEEN,
    Floats,
    Model,
    Models,
    Record,
    Records,
    fill_dynamics,
    period_of,
)
from touchline.features.sources.simulated.evidence import WEEK_FACTS, gather, log_rates, week_evidence
from touchline.features.sources.simulated.story import NO_DEAL, OPEN_DEAL, WON_DEAL, Story, Weeks
from touchline.features.sources.simulated.streams import kernel, part
from touchline.features.sources.simulated.told import Told

#: Room for one account's filter: a record, of which kernels pass a pointer.
_FILTER = np.dtype(
    [
        ("belief", np.float64, (INTENT_COUNT, FIT_COUNT, STYLE_COUNT)),  # now
        ("moved", np.float64, (INTENT_COUNT, FIT_COUNT, STYLE_COUNT)),
        ("likelihood", np.float64, (INTENT_COUNT, STYLE_COUNT)),  # of the week
        ("value", np.float64, (FIT_COUNT, INTENT_COUNT)),  # chance to win from a week on, without a deal
        ("value_open", np.float64, (FIT_COUNT, INTENT_COUNT)),  # the same with an open deal
    ]
)


@kernel
def win_chances(models: Models, story: Story, known_week: Weeks, as_of: NDArray[np.int64], told: Told) -> Floats:
    """Exact chances that the accounts of `story` are won within the horizon, given what is told.

    Parameters
    ----------
    models
        The world.
    story
        N accounts.
    known_week : (M,) array
        Week in which each touch of the story reached the log.
    as_of : (D,) array
        As-of dates as week numbers: the start of that week.
    told
        Which groups of facts count as known.

    Returns
    -------
    (N, D) array
        NaN where the account is not in question: nobody there yet, an open deal, or won; where people are apart,
        and so deals a person's own, a lost one as well.
    """
    model = models[0]  # for what holds in all weeks
    chances = np.full((story.accounts.size, as_of.size), np.nan)
    facts: Records = np.zeros(model.weeks, WEEK_FACTS)
    rooms, dynamics = np.empty(1, _FILTER), np.empty(models.size, DYNAMICS)
    log_rate = log_rates(models)
    for a in range(story.accounts.size):
        account = story.accounts[a]
        if account.people_start == account.people_end:
            continue
        room = rooms[0]  # read anew for each account: a record does not keep its array alive
        for period in range(models.size):
            for u in range(FIT_COUNT):
                visible = account.visible_fit if told.fit else 0.0
                fill_dynamics(dynamics[period], models[period], u, visible + told.residual_fit[u])
        weeks = min(model.weeks, account.won_week + 1)
        gather(facts[:weeks], models, log_rate, story, known_week, told, a)
        _forward(room, facts[:weeks], models, log_rate, dynamics, told.residual_share)
        closed = _first_loss(facts[:weeks]) if model.people_apart > 0 else weeks
        for date in range(as_of.size):
            week = as_of[date]
            arrived = story.people[account.people_start].arrival < week
            if week > weeks or week > closed or not arrived or facts[week - 1].deal_after != NO_DEAL:
                continue
            _believe_as_of(room, facts[:week], models, log_rate, dynamics)
            _fill_value(room, models, dynamics, week)
            chances[a, date] = _expected(room)
    return chances


@part
def _first_loss(facts: Records) -> int:
    """Week in which the first deal was lost; the number of weeks if none was."""
    for week in range(facts.size):
        if facts[week].deal_before == OPEN_DEAL and facts[week].deal_after == NO_DEAL:
            return week
    return facts.size


@part
def _forward(
    room: Record, facts: Records, models: Models, log_rate: Floats, dynamics: Records, residual_share: Floats
) -> None:
    """Filter all weeks of `facts` as if complete, and keep the belief at the start of each."""
    model = models[0]
    for z in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            for g in range(STYLE_COUNT):
                room.belief[z, u, g] = residual_share[u] * model.style_share[g] if z == 0 else 0.0
    for week in range(facts.size):
        _copy(facts[week].prior, room.belief)
        if week + 1 < facts.size:
            _absorb(room, facts[week], models, log_rate, dynamics, week, DELAY_COUNT)
            _move(room, dynamics[period_of(models, week + 1)].transition[facts[week + 1].send])


@part
def _believe_as_of(room: Record, facts: Records, models: Models, log_rate: Floats, dynamics: Records) -> None:
    """Set the belief about the week after `facts` from what was known by then."""
    start = max(0, facts.size - (DELAY_COUNT - 1))
    _copy(room.belief, facts[start].prior)
    for week in range(start, facts.size):
        _absorb(room, facts[week], models, log_rate, dynamics, week, facts.size - 1 - week)
        send = facts[week + 1].send if week + 1 < facts.size else UNSEEN
        _move(room, dynamics[period_of(models, week + 1)].transition[send])


@part
def _copy(to: Floats, belief: Floats) -> None:
    for z in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            for g in range(STYLE_COUNT):
                to[z, u, g] = belief[z, u, g]


@part
def _absorb(
    room: Record, now: Record, models: Models, log_rate: Floats, dynamics: Records, week: int, age: int
) -> None:
    """Condition the belief on what is known of a week `age` weeks later; a lost deal makes the account dormant."""
    period = period_of(models, week)
    model, own = models[period], dynamics[period]
    week_evidence(room.likelihood, now, model, log_rate[period], age)
    _exponentiate(room.likelihood)
    total = 0.0
    for z in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            outcome = _outcome(now, model, own, week, u, z)
            for g in range(STYLE_COUNT):
                room.belief[z, u, g] *= room.likelihood[z, g] * outcome
                total += room.belief[z, u, g]
    lost = now.deal_before == OPEN_DEAL and now.deal_after == NO_DEAL
    for z in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            for g in range(STYLE_COUNT):
                room.belief[z, u, g] /= total
                if lost and z > 0:
                    room.belief[0, u, g] += room.belief[z, u, g]
                    room.belief[z, u, g] = 0.0


@part
def _exponentiate(log_likelihood: Floats) -> None:
    """Replace (Z, G) log-likelihoods by likelihoods, the greatest of them 1."""
    greatest = -np.inf
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            greatest = max(greatest, log_likelihood[z, g])
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            log_likelihood[z, g] = np.exp(log_likelihood[z, g] - greatest)


@part
def _outcome(now: Record, model: Model, own: Record, week: int, u: int, z: int) -> float:
    """Return the chance of what the deal did in the week, given the fit and the intent."""
    if now.call == UNSEEN and model.people_apart > 0:
        return 1.0  # a person's own deal needs the person
    if now.deal_before == NO_DEAL:
        opened = own.opportunity[now.call, u, z]
        return opened if now.deal_after == OPEN_DEAL else 1.0 - opened
    win = own.win[week % QUARTER_WEEKS, u, z]
    if now.deal_after == WON_DEAL:
        return win
    return model.lose_hazard[z] if now.deal_after == NO_DEAL else 1.0 - win - model.lose_hazard[z]


@part
def _move(room: Record, transition: Floats) -> None:
    """Move the belief on by a week with `transition` (U, Z, Z)."""
    for to in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            for g in range(STYLE_COUNT):
                chance = 0.0
                for z in range(INTENT_COUNT):
                    chance += transition[u, z, to] * room.belief[z, u, g]
                room.moved[to, u, g] = chance
    _copy(room.belief, room.moved)


@part
def _fill_value(room: Record, models: Models, dynamics: Records, as_of: int) -> None:
    """Fill `room.value` with P(won in weeks as_of .. as_of + horizon | fit, intent in week as_of, no deal)."""
    next_no, next_open = np.zeros(INTENT_COUNT), np.zeros(INTENT_COUNT)
    for u in range(FIT_COUNT):
        for z in range(INTENT_COUNT):
            room.value[u, z], room.value_open[u, z] = 0.0, 0.0
        for week in range(as_of + models[0].horizon - 1, as_of - 1, -1):
            period = period_of(models, week)
            model, own, later = models[period], dynamics[period], dynamics[period_of(models, week + 1)]
            for z in range(INTENT_COUNT):
                next_no[z] = _ahead(later.transition[UNSEEN, u, z], room.value[u])
                next_open[z] = _ahead(later.transition[UNSEEN, u, z], room.value_open[u])
            for z in range(INTENT_COUNT):
                opened, lost = own.opportunity[UNSEEN, u, z], model.lose_hazard[z]
                win = own.win[week % QUARTER_WEEKS, u, z]
                room.value[u, z] = (1.0 - opened) * next_no[z] + opened * next_open[z]
                room.value_open[u, z] = win + lost * next_no[0] + (1.0 - win - lost) * next_open[z]


@part
def _ahead(chances: Floats, value: Floats) -> float:
    """Return the expected value (Z,) a week ahead."""
    expected = 0.0
    for z in range(INTENT_COUNT):
        expected += chances[z] * value[z]
    return expected


@part
def _expected(room: Record) -> float:
    """Return the mean value under the belief."""
    total = 0.0
    for z in range(INTENT_COUNT):
        for u in range(FIT_COUNT):
            for g in range(STYLE_COUNT):
                total += room.belief[z, u, g] * room.value[u, z]
    return total


class TruthRows(NamedTuple):
    """One row per person and as-of date at which the person is a lead in question; R rows."""

    person: NDArray[np.int32]  # (R,) position in the block
    date: NDArray[np.int32]  # (R,) position in the as-of dates
    probability: Floats  # (R,)
    won: NDArray[np.int8]  # (R,) 0, 1, or -1 while the horizon is not over


@kernel
def truth_rows(
    model: Model, story: Story, known_week: Weeks, as_of: NDArray[np.int64], chances: Floats, told: Told
) -> TruthRows:
    """List those with a human touch known, and taken place, in the last `horizon` weeks before an as-of date.

    A person's chance is the account's chance times the chance that somebody in the role is on the deal.
    """
    people = story.people.size
    eligible = np.zeros((people, as_of.size), np.bool_)
    for row in range(story.touches.size):
        person = story.touches[row].person
        for date in range(as_of.size):
            recent = as_of[date] - model.horizon <= story.touches[row].week
            if recent and known_week[row] < as_of[date]:
                eligible[person, date] = not np.isnan(chances[story.people[person].account, date])
    count = eligible.sum()
    rows = TruthRows(np.empty(count, np.int32), np.empty(count, np.int32), np.empty(count), np.empty(count, np.int8))
    used = 0
    for date in range(as_of.size):
        for person in range(people):
            if not eligible[person, date]:
                continue
            a = story.people[person].account
            rows.person[used], rows.date[used] = person, date
            rows.probability[used] = chances[a, date] * told.attach_chance[story.people[person].role]
            end = as_of[date] + model.horizon
            won = story.accounts[a].won_week < end and story.people[person].attached
            rows.won[used] = -1 if end > model.weeks else int(won)
            used += 1
    return rows
