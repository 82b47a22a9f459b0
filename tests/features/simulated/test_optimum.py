"""The compiled filter equals one written plainly from the tables: numpy, one account, one date at a time."""

from dataclasses import dataclass
from math import exp, factorial, log

import numpy as np

from touchline.features.sources.simulated import DEFAULT_WORLD
from touchline.features.sources.simulated.kinds import HUMAN_KINDS
from touchline.features.sources.simulated.world import INDUSTRIES, REGIONS, ROLES

W = DEFAULT_WORLD
RATE = np.array(W.weekly_rate)
ROLE = np.array(W.role_multiplier)
STYLE = np.array(W.style)
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
    accounts: dict[str, tuple]
    leads: list[tuple]  # account_id, lead_id, role, week created
    touches: list[tuple]  # account_id, lead_id, kind, week occurred, week known
    deals: list[tuple]  # account_id, week opened, week closed or None


def read_tables(ask, simulation, accounts):
    chosen = f"account_id in ({', '.join(repr(account) for account in accounts)})"
    mine = f"join leads using (lead_id) where {chosen}"
    occurred, known = WEEK_OF.format("occurred_at"), WEEK_OF.format("known_at")
    touches = f"select account_id, lead_id, kind, {occurred}, {known} from {{}} {mine}"
    profile = f"select account_id, industry, size, region from accounts where {chosen}"
    created, opened, closed = (WEEK_OF.format(f"{name}_at") for name in ("created", "opened", "closed"))
    leads = f"select account_id, lead_id, role, {created} from leads where {chosen} order by created_at"
    return Tables(
        {row[0]: row[1:] for row in ask(simulation, profile)},
        ask(simulation, leads),
        ask(simulation, touches.format("human"))
        + ask(simulation, touches.format("touches") + " and kind in ('email_sent', 'sales_call')"),
        ask(simulation, f"select account_id, {opened}, {closed} from deals where {chosen}"),
    )


def facts_before(tables, account, as_of_week):
    """What was known of the account at the start of a week."""
    industry, size, region = tables.accounts[account]
    fit = W.industry_fit[INDUSTRIES.index(industry)] + W.region_fit[REGIONS.index(region)] + W.fit_offset
    deals = [(o, c) for a, o, c in tables.deals if a == account and o < as_of_week]
    return Facts(
        fit - W.size_penalty * (log(size) - W.best_log_size) ** 2,
        [row[1:] for row in tables.leads if row[0] == account and row[3] < as_of_week],
        [row[1:4] for row in tables.touches if row[0] == account and row[4] < as_of_week],
        [(opened, closed if closed is not None and closed < as_of_week else None) for opened, closed in deals],
    )


def transition(fit, send):
    matrix = np.array(W.fall_chance)
    for z in range(3):
        rise = W.rise_base[z] + W.rise_fit[z] * fit + W.rise_send[z] * send
        matrix[z, z + 1] = 1 / (1 + exp(-rise))
    return matrix + np.diag(1 - matrix.sum(1))


def transition_after(fit, send):
    if send is not None:
        return transition(fit, send)
    return (1 - W.send_chance) * transition(fit, 0) + W.send_chance * transition(fit, 1)


def opportunity(fit, call):
    if call is None:
        return (1 - W.call_chance) * opportunity(fit, 0) + W.call_chance * opportunity(fit, 1)
    hazard = np.array(W.opportunity_hazard) * exp(W.opportunity_fit * fit)
    return np.minimum(W.hazard_ceiling, hazard * (1 + W.opportunity_call * call))


def win(fit, week):
    hazard = np.array(W.win_hazard) * exp(W.win_fit * fit) * W.closing[week % 13]
    return np.minimum(W.hazard_ceiling, hazard)


def poisson(count, mean):
    return exp(-mean) * mean**count / factorial(count)


def emission(facts, week, as_of_week, heat):
    """P(the week's facts | intent, style), times the same constant for all states."""
    present = [person for person in facts.people if person[2] <= week]
    arrived = sum(person[2] == week for person in present)
    free = W.max_people - (len(present) - arrived)
    sent = any(kind == "email_sent" and w == week for _, kind, w in facts.touches)
    recorded = sum(W.late_weeks_share[: as_of_week - week])
    likelihood = np.ones((4, 2))
    for z in range(4):
        for g in range(2):
            mean = W.arrival_rate[z] * STYLE[g]
            if free > 0:
                counts = range(arrived, arrived + 1) if arrived < free else range(free, free + 40)
                likelihood[z, g] *= sum(poisson(count, mean) for count in counts)
    for lead, role, _ in present:
        for k, kind in enumerate(HUMAN_KINDS):
            if k in MAIL and not sent:
                continue
            count = facts.touches.count((lead, kind, week))
            rate = RATE[k][:, None] * STYLE[None] * ROLE[ROLES.index(role), k] * W.season[week % 52]
            if k in BURST:
                rate = rate + W.burst_gain * heat.get((lead, k), 0.0)
                heat[lead, k] = W.burst_memory * (heat.get((lead, k), 0.0) + count)
            if k in LATE:
                rate = rate * recorded
            likelihood *= np.exp(-rate) * rate**count
    return likelihood


def deal_factor(facts, week, fit, call):
    """P(what the deal did in the week | intent), and whether one was lost."""
    if any(opened < week and (closed is None or closed >= week) for opened, closed in facts.deals):
        lost = any(closed == week for _, closed in facts.deals)
        return np.array(W.lose_hazard) if lost else 1 - win(fit, week) - np.array(W.lose_hazard), lost
    hazard = opportunity(fit, call)
    return (hazard if any(opened == week for opened, _ in facts.deals) else 1 - hazard), False


def chance_to_win(fit, as_of_week):
    """Chain over 4 intents without a deal, 4 with one, and won: product of the weeks' matrices."""
    product = np.eye(9)
    move = transition_after(fit, None)
    for week in range(as_of_week, as_of_week + 13):
        opened, won, lost = opportunity(fit, None), win(fit, week), np.array(W.lose_hazard)
        step = np.zeros((9, 9))
        step[8, 8] = 1
        step[:4, :4] = (1 - opened)[:, None] * move
        step[:4, 4:8] = opened[:, None] * move
        step[4:8, :4] = lost[:, None] * move[0]
        step[4:8, 4:8] = (1 - won - lost)[:, None] * move
        step[4:8, 8] = won
        product = product @ step
    return product[:4, 8]


def plain_probability(facts, as_of_week):
    belief = np.zeros((4, 3, 2))
    belief[0] = np.outer(W.residual_share, W.style_share)
    fits = [facts.fit + residual for residual in W.residual_fit]
    heat = {}
    for week in range(as_of_week):
        belief *= emission(facts, week, as_of_week, heat)[:, None, :]
        anybody, anybody_next = (any(p[2] <= w for p in facts.people) for w in (week, week + 1))
        call = int(any(t[1:] == ("sales_call", week) for t in facts.touches)) if anybody else None
        send = int(any(t[1:] == ("email_sent", week + 1) for t in facts.touches)) if anybody_next else None
        send = None if week + 1 == as_of_week else send
        for u, fit in enumerate(fits):
            factor, lost = deal_factor(facts, week, fit, call)
            belief[:, u] *= factor[:, None]
            if lost:
                belief[0, u], belief[1:, u] = belief[:, u].sum(0), 0
            belief[:, u] = transition_after(fit, send).T @ belief[:, u]
        belief /= belief.sum()
    return sum(belief[:, u].sum(1) @ chance_to_win(fit, as_of_week) for u, fit in enumerate(fits))


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


def test_compiled_filter_equals_the_plain_one(ask, plain):
    """Cases of every number of people (the full account included) and of lost deals."""
    cases = ask(plain, CASES)
    assert len(cases) > 40
    tables = read_tables(ask, plain, {case[0] for case in cases})
    assert any(len([row for row in tables.leads if row[0] == account]) == W.max_people for account in tables.accounts)
    for account, week, role, probability in cases:
        facts = facts_before(tables, account, week)
        expected = plain_probability(facts, week) * W.attach_chance[ROLES.index(role)]
        assert abs(probability - expected) < 1e-9, (account, week)
