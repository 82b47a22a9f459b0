"""Evidence: how likely each week's visible facts are under each hidden intent and style.

Rates depend on the hidden state and on what is visible. With counts n_k of the account's touches of kind k, exposure
E_k = season * sum of role multipliers over the people present, and style g, a Poisson kind without bursts gives

    log p(n_k | z, g) = n_k log(rate[k, z] g) - rate[k, z] g E_k + terms equal in all states,

and equal terms vanish in the filter. Kinds with bursts add their heat to the rate of each person. Late kinds of which a
share F is recorded by now have all rates times F (a thinned Poisson count is Poisson).
"""

import numpy as np

from touchline.features.sources.simulated.dynamics import (
    DELAY_COUNT,
    FIT_COUNT,
    INTENT_COUNT,
    STYLE_COUNT,
    UNSEEN,
    YES,
    Floats,
    Model,
    Models,
    Record,
    Records,
    period_of,
)
from touchline.features.sources.simulated.kinds import BURST_KINDS, HUMAN_COUNT, LATE_KINDS, MAIL_KINDS
from touchline.features.sources.simulated.story import Counts, Story, Weeks
from touchline.features.sources.simulated.streams import part
from touchline.features.sources.simulated.told import Told

#: What one account shows in a week, and where the filter keeps its belief at the week's start.
WEEK_FACTS = np.dtype(
    [
        ("prompt", np.float64, (INTENT_COUNT, STYLE_COUNT)),  # log-likelihood of all that is recorded on time
        ("late_count", np.int64, (len(LATE_KINDS), DELAY_COUNT)),  # touches by weeks until their record
        ("late_exposure", np.float64, (len(LATE_KINDS),)),
        ("send", np.int8),  # NO, YES, or UNSEEN while nobody is there
        ("call", np.int8),  # the same
        ("deal_before", np.int8),  # at the start of the week
        ("deal_after", np.int8),  # at its end
        ("prior", np.float64, (INTENT_COUNT, FIT_COUNT, STYLE_COUNT)),  # given all facts of the weeks before
    ]
)


@part
def log_rates(models: Models) -> Floats:
    """Return log(rate * style), (P, K, Z, G) for P models."""
    out = np.empty((models.size, HUMAN_COUNT, INTENT_COUNT, STYLE_COUNT))
    for period in range(models.size):
        model = models[period]
        for kind in range(HUMAN_COUNT):
            for z in range(INTENT_COUNT):
                for g in range(STYLE_COUNT):
                    out[period, kind, z, g] = np.log(model.weekly_rate[kind, z] * model.style[g])
    return out


@part
def gather(
    facts: Records, models: Models, log_rate: Floats, story: Story, known_week: Weeks, told: Told, a: int
) -> None:
    """Fill `facts`, of WEEK_FACTS, with all its weeks of account `a`, as far as they are told.

    `known_week` (M,) is the week in which each touch of the story reached the log.
    """
    account = story.accounts[a]
    exposure = np.zeros((models.size, HUMAN_COUNT))  # sum of role multipliers of those present, by period
    max_people = models[0].max_people
    heat = np.zeros((max_people, len(BURST_KINDS)))
    count = np.zeros(HUMAN_COUNT, np.int64)  # of the week: zero again once added to the evidence
    burst = np.zeros((max_people, len(BURST_KINDS)), np.int64)  # likewise
    first = account.people_start
    present = first
    row = account.touch_start
    for week in range(facts.size):
        before = present
        period = period_of(models, week)
        model = models[period]
        while present < account.people_end and story.people[present].arrival == week:
            for each in range(models.size):
                _expose(exposure[each], models[each].role_multiplier[story.people[present].role], told)
            present += 1
        now = facts[week]
        _clear(now)
        now.send = story.send[a, week] if told.sends and present > first else UNSEEN
        now.call = story.call[a, week] if present > first else UNSEEN
        now.deal_before, now.deal_after = story.deal[a, week], story.deal[a, week + 1]
        if told.arrivals:
            _add_arrivals(now.prompt, model, present - before, max_people - (before - first))
        while row < account.touch_end and story.touches[row].week == week:
            touch = story.touches[row]
            if told.kinds[touch.kind]:
                _count_touch(count, burst[touch.person - first], now, touch.kind, int(known_week[row]) - week)
            row += 1
        season = model.season[week % model.season.size]
        _add_kinds(now, model, log_rate[period], count, exposure[period], season, now.send == YES)
        for person in range(present - first):
            role = story.people[first + person].role
            _add_bursts(now.prompt, model, role, season, heat[person], burst[person])


@part
def week_evidence(out: Floats, now: Record, model: Model, log_rate: Floats, age: int) -> None:
    """Fill `out` (Z, G) with the log-likelihood of what of a week is known `age` weeks later."""
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            out[z, g] = now.prompt[z, g]
    for late in range(len(LATE_KINDS)):
        count, share = 0, 0.0
        for delay in range(min(age + 1, DELAY_COUNT)):
            count += now.late_count[late, delay]
            share += model.late_weeks_share[delay]
        _add_kind(out, model, log_rate, LATE_KINDS[late], count, share * now.late_exposure[late])


@part
def _clear(now: Record) -> None:
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            now.prompt[z, g] = 0.0
    for late in range(len(LATE_KINDS)):
        for delay in range(DELAY_COUNT):
            now.late_count[late, delay] = 0


@part
def _count_touch(count: Counts, burst: Counts, now: Record, kind: int, delay: int) -> None:
    count[kind] += 1
    for b in range(len(BURST_KINDS)):
        if kind == BURST_KINDS[b]:
            burst[b] += 1
    for late in range(len(LATE_KINDS)):
        if kind == LATE_KINDS[late]:
            now.late_count[late, delay] += 1


@part
def _expose(exposure: Floats, role_multiplier: Floats, told: Told) -> None:
    """Add a person to the account's exposure (K,) to the kinds that are told; to others it stays zero."""
    for kind in range(exposure.size):
        if told.kinds[kind]:
            exposure[kind] += role_multiplier[kind]


@part
def _add_kinds(
    now: Record, model: Model, log_rate: Floats, count: Counts, exposure: Floats, season: float, send: bool
) -> None:
    """Add all kinds but the log rates of bursts, which differ from person to person, and note late exposure."""
    for late in range(len(LATE_KINDS)):
        now.late_exposure[late] = season * exposure[LATE_KINDS[late]]
    for kind in range(HUMAN_COUNT):
        shown = 0 if kind in BURST_KINDS else count[kind]
        if kind not in LATE_KINDS and (send or kind not in MAIL_KINDS):
            _add_kind(now.prompt, model, log_rate, kind, shown, season * exposure[kind])
        count[kind] = 0


@part
def _add_kind(out: Floats, model: Model, log_rate: Floats, kind: int, count: int, exposure: float) -> None:
    """Add a Poisson kind: `count` log rates and the whole exposure."""
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            out[z, g] -= model.weekly_rate[kind, z] * model.style[g] * exposure
            if count > 0:
                out[z, g] += count * log_rate[kind, z, g]


@part
def _add_bursts(out: Floats, model: Model, role: int, season: float, heat: Floats, count: Counts) -> None:
    """Add the log rates of one person's self-exciting touches, and move the heat on by the week."""
    for b in range(len(BURST_KINDS)):
        own = model.role_multiplier[role, BURST_KINDS[b]] * season
        for z in range(INTENT_COUNT):
            for g in range(STYLE_COUNT):
                if count[b] > 0:
                    rate = model.weekly_rate[BURST_KINDS[b], z] * model.style[g] * own
                    out[z, g] += count[b] * np.log(rate + model.burst_gain * heat[b])
        heat[b] = model.burst_memory * (heat[b] + count[b])
        count[b] = 0


@part
def _add_arrivals(out: Floats, model: Model, count: int, free: int) -> None:
    """Add the arrivals: Poisson, but all further people go unregistered once `free` places are taken."""
    if free == 0:
        return
    for z in range(INTENT_COUNT):
        for g in range(STYLE_COUNT):
            mean = model.arrival_rate[z] * model.style[g]
            if count < free:
                out[z, g] -= mean
                if count > 0:
                    out[z, g] += count * np.log(mean)
            else:
                out[z, g] += np.log(_at_least(free, mean))


@part
def _at_least(count: int, mean: float) -> float:
    """P(Poisson(mean) >= count) for count >= 1, summed upwards so that small chances keep their digits."""
    term = np.exp(-mean)
    for step in range(1, count + 1):
        term *= mean / step
    total = 0.0
    step = count
    while term > total * 1e-18:
        total += term
        step += 1
        term *= mean / step
    return total
