"""The compiled filter equals one written plainly from the tables: numpy, one account, one date at a time.

A story's key is its account, or its lead in a world whose people are apart.
"""

from dataclasses import dataclass, replace
from math import exp, factorial, log

import numpy as np

from touchline.features.sources.simulated import CONTACT_WORLD, DEFAULT_WORLD, Drift, simulate
from touchline.features.sources.simulated.clock import week_start
from touchline.features.sources.simulated.kinds import HUMAN_KINDS
from touchline.features.sources.simulated.world import INDUSTRIES, REGIONS, ROLES, WEEKLY

MAIL, BURST, LATE = (0, 1, 8), (2, 3), (5, 7)
WEEK_OF = "(epoch_us({}) - epoch_us(timestamp '2023-01-02')) // 604800000000"


@dataclass
class Facts:
    fit: float
    people: list[tuple[str, str, int]]  # lead_id, role, week of arrival
    touches: list[tuple[str, str, int]]  # lead_id, kind, week
    deals: list[tuple[int, int | None]]  # week opened, week closed: all lost or open


@dataclass
class Tables:
    accounts: dict[str, tuple]  # by key of the story: industry, size, region
    leads: list[tuple]  # key, lead_id, role, week created
    touches: list[tuple]  # key, lead_id, kind, week occurred, week known
    deals: list[tuple]  # key, week opened, week closed or None


def key_of(world):
    return "account_id" if world.people_apart is None else "lead_id"


def in_week(world, week):
    """The world as it is in a week."""
    drifted = world.drift is not None and week >= world.drift.week
    return replace(world, **world.drift.changes) if drifted else world


def read_tables(ask, simulation, world, keys):
    key = key_of(world)
    chosen = f"{key} in ({', '.join(repr(key) for key in keys)})"
    mine = f"join leads using (lead_id) where {chosen}"
    occurred, known = WEEK_OF.format("occurred_at"), WEEK_OF.format("known_at")
    touches = f"select {key}, lead_id, kind, {occurred}, {known} from {{}} {mine}"
    profile = (
        f"select distinct {key}, industry, size, region from accounts join leads using (account_id) where {chosen}"
    )
    created, opened, closed = (WEEK_OF.format(f"{name}_at") for name in ("created", "opened", "closed"))
    leads = f"select {key}, lead_id, role, {created} from leads where {chosen} order by created_at"
    return Tables(
        {row[0]: row[1:] for row in ask(simulation, profile)},
        ask(simulation, leads),
        ask(simulation, touches.format("human"))
        + ask(simulation, touches.format("touches") + " and kind in ('email_sent', 'sales_call')"),
        ask(simulation, f"select {key}, {opened}, {closed} from deals where {chosen}"),
    )


def facts_before(tables, world, key, as_of_week):
    """What was known of the story at the start of a week."""
    industry, size, region = tables.accounts[key]
    fit = world.industry_fit[INDUSTRIES.index(industry)] + world.region_fit[REGIONS.index(region)] + world.fit_offset
    deals = [(o, c) for a, o, c in tables.deals if a == key and o < as_of_week]
    return Facts(
        fit - world.size_penalty * (log(size) - world.best_log_size) ** 2,
        [row[1:] for row in tables.leads if row[0] == key and row[3] < as_of_week],
        [row[1:4] for row in tables.touches if row[0] == key and row[4] < as_of_week],
        [(opened, closed if closed is not None and closed < as_of_week else None) for opened, closed in deals],
    )


def transition(w, fit, send):
    matrix = np.array(w.fall_chance)
    for z in range(3):
        rise = w.rise_base[z] + w.rise_fit[z] * fit + w.rise_send[z] * send
        matrix[z, z + 1] = 1 / (1 + exp(-rise))
    return matrix + np.diag(1 - matrix.sum(1))


def transition_after(w, fit, send):
    if send is not None:
        return transition(w, fit, send)
    return (1 - w.send_chance) * transition(w, fit, 0) + w.send_chance * transition(w, fit, 1)


def opportunity(w, fit, call):
    if call is None:
        return (1 - w.call_chance) * opportunity(w, fit, 0) + w.call_chance * opportunity(w, fit, 1)
    hazard = np.array(w.opportunity_hazard) * exp(w.opportunity_fit * fit)
    return np.minimum(w.hazard_ceiling, hazard * (1 + w.opportunity_call * call))


def win(w, fit, week):
    hazard = np.array(w.win_hazard) * exp(w.win_fit * fit) * w.closing[week % 13]
    return np.minimum(w.hazard_ceiling, hazard)


def poisson(count, mean):
    return exp(-mean) * mean**count / factorial(count)


def emission(w, facts, week, as_of_week, heat):
    """P(the week's facts | intent, style), times the same constant for all states."""
    present = [person for person in facts.people if person[2] <= week]
    arrived = sum(person[2] == week for person in present)
    free = (w.max_people if w.people_apart is None else 1) - (len(present) - arrived)
    sent = any(kind == "email_sent" and at == week for _, kind, at in facts.touches)
    recorded = sum(w.late_weeks_share[: as_of_week - week])
    style, rates, roles = np.array(w.style), np.array(w.weekly_rate), np.array(w.role_multiplier)
    likelihood = np.ones((4, 2))
    for z in range(4):
        for g in range(2):
            mean = w.arrival_rate[z] * style[g]
            if free > 0:
                counts = range(arrived, arrived + 1) if arrived < free else range(free, free + 40)
                likelihood[z, g] *= sum(poisson(count, mean) for count in counts)
    for lead, role, _ in present:
        for k, kind in enumerate(HUMAN_KINDS):
            if k in MAIL and not sent:
                continue
            count = facts.touches.count((lead, kind, week))
            rate = rates[k][:, None] * style[None] * roles[ROLES.index(role), k] * w.season[week % 52]
            if k in BURST:
                rate = rate + w.burst_gain * heat.get((lead, k), 0.0)
                heat[lead, k] = w.burst_memory * (heat.get((lead, k), 0.0) + count)
            if k in LATE:
                rate = rate * recorded
            likelihood *= np.exp(-rate) * rate**count
    return likelihood


def deal_factor(w, facts, week, fit, call):
    """P(what the deal did in the week | intent), and whether one was lost."""
    if any(opened < week and (closed is None or closed >= week) for opened, closed in facts.deals):
        lost = any(closed == week for _, closed in facts.deals)
        return np.array(w.lose_hazard) if lost else 1 - win(w, fit, week) - np.array(w.lose_hazard), lost
    if w.people_apart is not None and call is None:
        return np.ones(4), False  # nobody is there who could have a deal
    hazard = opportunity(w, fit, call)
    return (hazard if any(opened == week for opened, _ in facts.deals) else 1 - hazard), False


def chance_to_win(world, fit, as_of_week):
    """Chain over 4 intents without a deal, 4 with one, and won: product of the weeks' matrices."""
    product = np.eye(9)
    for week in range(as_of_week, as_of_week + 13):
        w = in_week(world, week)
        move = transition_after(in_week(world, week + 1), fit, None)
        opened, won, lost = opportunity(w, fit, None), win(w, fit, week), np.array(w.lose_hazard)
        step = np.zeros((9, 9))
        step[8, 8] = 1
        step[:4, :4] = (1 - opened)[:, None] * move
        step[:4, 4:8] = opened[:, None] * move
        step[4:8, :4] = lost[:, None] * move[0]
        step[4:8, 4:8] = (1 - won - lost)[:, None] * move
        step[4:8, 8] = won
        product = product @ step
    return product[:4, 8]


def plain_probability(world, facts, as_of_week):
    belief = np.zeros((4, 3, 2))
    belief[0] = np.outer(world.residual_share, world.style_share)
    fits = [facts.fit + residual for residual in world.residual_fit]
    heat = {}
    for week in range(as_of_week):
        w, w_next = in_week(world, week), in_week(world, week + 1)
        belief *= emission(w, facts, week, as_of_week, heat)[:, None, :]
        anybody, anybody_next = (any(p[2] <= at for p in facts.people) for at in (week, week + 1))
        call = int(any(t[1:] == ("sales_call", week) for t in facts.touches)) if anybody else None
        send = int(any(t[1:] == ("email_sent", week + 1) for t in facts.touches)) if anybody_next else None
        send = None if week + 1 == as_of_week else send
        for u, fit in enumerate(fits):
            factor, lost = deal_factor(w, facts, week, fit, call)
            belief[:, u] *= factor[:, None]
            if lost:
                belief[0, u], belief[1:, u] = belief[:, u].sum(0), 0
            belief[:, u] = transition_after(w_next, fit, send).T @ belief[:, u]
        belief /= belief.sum()
    return sum(belief[:, u].sum(1) @ chance_to_win(world, fit, as_of_week) for u, fit in enumerate(fits))


def assert_equals_plain(ask, simulation, world, cases):
    """Compare cases: key of the story, week, role, probability."""
    tables = read_tables(ask, simulation, world, {case[0] for case in cases})
    for key, week, role, probability in cases:
        facts = facts_before(tables, world, key, week)
        expected = plain_probability(world, facts, week) * world.attach_chance[ROLES.index(role)]
        assert abs(probability - expected) < 1e-9, (key, week)
    return tables


CASES = f"""
    with n as (select account_id, count(*) as people from leads group by all),
    d as (select account_id, count(*) as deals from deals where outcome = 'lost' group by all),
    c as (select l.account_id, {WEEK_OF.format("t.as_of")} as week, l.role, t.probability,
                 coalesce(deals, 0) as deals, people
          from truth t join leads l using (lead_id) join n using (account_id) left join d using (account_id))
    select account_id, week, role, probability from c
    qualify row_number() over (partition by people, least(deals, 3) order by hash(account_id, week), role) <= 3
    order by all
"""

CONTACT_CASES = f"""
    with c as (select lead_id, {WEEK_OF.format("as_of")} as week, role, probability,
                      ntile(4) over (order by probability) as quarter
               from truth join leads using (lead_id))
    select lead_id, week, role, probability from c
    qualify row_number() over (partition by role, quarter order by hash(lead_id, week)) <= 3
    order by all
"""


def test_compiled_filter_equals_the_plain_one(ask, plain):
    """Cases of every number of people (the full account included) and of lost deals."""
    cases = ask(plain, CASES)
    assert len(cases) > 40
    tables = assert_equals_plain(ask, plain, DEFAULT_WORLD, cases)
    full = DEFAULT_WORLD.max_people
    assert any(len([row for row in tables.leads if row[0] == account]) == full for account in tables.accounts)


def test_compiled_filter_equals_the_plain_one_where_people_are_apart(ask, contact):
    """A person's facts and the visible part of the account suffice: no colleague's fact enters the plain filter."""
    cases = ask(contact, CONTACT_CASES)
    assert len(cases) > 40
    assert_equals_plain(ask, contact, CONTACT_WORLD, cases)


def scaled(values, by):
    return tuple(scaled(value, by) if isinstance(value, tuple) else value * by for value in values)


EVERYTHING_DRIFTS = replace(
    DEFAULT_WORLD,
    drift=Drift(
        112,
        {
            "arrival_rate": DEFAULT_WORLD.arrival_rate[::-1],
            "role_share": DEFAULT_WORLD.role_share[::-1],
            "weekly_rate": tuple(row[::-1] for row in DEFAULT_WORLD.weekly_rate),
            "role_multiplier": DEFAULT_WORLD.role_multiplier[::-1],
            "season": scaled(DEFAULT_WORLD.season, 0.7),
            "burst_gain": 0.5,
            "burst_memory": 0.3,
            "send_chance": 0.6,
            "call_chance": 0.2,
            "rise_base": (-3.0, -2.8, -2.6),
            "rise_fit": (0.1, 0.2, 0.3),
            "rise_send": (0.2, 0.9, 0.5),
            "fall_chance": scaled(DEFAULT_WORLD.fall_chance, 2.0),
            "opportunity_hazard": scaled(DEFAULT_WORLD.opportunity_hazard, 3.0),
            "opportunity_fit": 0.6,
            "opportunity_call": 0.3,
            "win_hazard": scaled(DEFAULT_WORLD.win_hazard, 1.5),
            "win_fit": 0.2,
            "closing": DEFAULT_WORLD.closing[::-1],
            "lose_hazard": scaled(DEFAULT_WORLD.lose_hazard, 0.5),
            "hazard_ceiling": 0.2,
        },
    ),
)


def test_compiled_filter_equals_the_plain_one_when_everything_drifts(ask, tmp_path):
    """As-of dates whose horizon reaches past the drift, those with late facts under way after it, and later ones."""
    drift = EVERYTHING_DRIFTS.drift
    assert set(drift.changes) == set(WEEKLY)
    weeks = [*range(drift.week - DEFAULT_WORLD.horizon_weeks, drift.week + 6), 125, 140]
    drifting = simulate(
        tmp_path,
        leads=1_000,
        seed=8,
        world=EVERYTHING_DRIFTS,
        truth_as_of=[week_start(week).date() for week in weeks],
    )
    cases = ask(drifting, CASES)
    assert {case[1] for case in cases} >= {drift.week - 1, drift.week, drift.week + 1}
    assert_equals_plain(ask, drifting, EVERYTHING_DRIFTS, cases)
