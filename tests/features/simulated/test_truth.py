"""The truth is calibrated, beats the base rate, and does not look ahead."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from touchline.features.sources.simulated import DEFAULT_WORLD, NULL_WORLD, simulate

# What happened, worked out from the deals alone.
OUTCOMES = """
    select l.account_id, t.probability, t.won,
           exists (from deals d where d.lead_id = t.lead_id and d.outcome = 'won'
                   and d.closed_at >= t.as_of and d.closed_at < t.as_of + interval 91 day)::int as happened
    from truth t join leads l using (lead_id)
"""


@pytest.fixture(scope="module", params=["usual", "contact", "drifting"])
def world_outcomes(ask, request):
    return outcomes(ask, request.getfixturevalue(request.param))


def outcomes(ask, simulation):
    rows = ask(simulation, f"from ({OUTCOMES}) where won is not null order by all")
    account = np.unique([row[0] for row in rows], return_inverse=True)[1]
    return account, np.array([row[1] for row in rows]), np.array([row[3] for row in rows])


def cluster_z(account, surprise):
    """Sum of the surprises in standard errors, accounts being independent."""
    per_account = np.bincount(account, surprise)
    return per_account.sum() / np.sqrt((per_account**2).sum())


def log_loss(probability, happened):
    return -np.mean(np.where(happened == 1, np.log(probability), np.log1p(-probability)))


def test_won_equals_what_the_deals_say(ask, usual):
    assert ask(usual, f"select count(*) from ({OUTCOMES}) where won != (happened = 1)") == [(0,)]
    ((immature, total),) = ask(usual, "select count(*) filter (won is null), count(*) from truth")
    assert 0 < immature < total


def test_won_is_open_exactly_while_the_window_is_not_over(ask, usual):
    wrong = f"from truth where (won is null) != (as_of + interval 91 day > '{usual.end:%Y-%m-%d}'::timestamp)"
    assert ask(usual, f"select count(*) {wrong}") == [(0,)]


def test_optimum_is_calibrated_overall_and_by_decile(world_outcomes):
    account, probability, happened = world_outcomes
    assert happened.sum() > 1_000
    assert abs(cluster_z(account, happened - probability)) < 3
    decile = np.digitize(probability, np.quantile(probability, np.arange(0.1, 1, 0.1)))
    for which in range(10):
        rows = decile == which
        if probability[rows].sum() > 50:  # some ten accounts; below, too few for a normal approximation
            assert abs(cluster_z(account[rows], (happened - probability)[rows])) < 3, f"decile {which}"


def test_optimum_has_calibration_slope_one(world_outcomes):
    account, probability, happened = world_outcomes
    log_odds = np.log(probability / (1 - probability))
    design = np.column_stack((np.ones_like(log_odds), log_odds))
    beta = np.array([0.0, 1.0])
    for _ in range(20):  # Newton steps of a logistic regression
        fitted = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None])
        beta += np.linalg.solve(information, design.T @ (happened - fitted))
    scores = np.column_stack([np.bincount(account, (happened - fitted) * column) for column in design.T])
    bread = np.linalg.inv(information)
    standard_error = np.sqrt((bread @ (scores.T @ scores) @ bread)[1, 1])
    assert abs(beta[1] - 1) < 3 * standard_error
    assert standard_error < 0.1


def test_optimum_beats_base_rate_and_itself_made_coarse(world_outcomes):
    _, probability, happened = world_outcomes
    base = np.full(probability.size, happened.mean())
    edges = np.quantile(probability, [0.5, 0.9])
    group = np.digitize(probability, edges)
    coarse = np.array([probability[group == g].mean() for g in range(3)])[group]
    assert log_loss(probability, happened) < log_loss(coarse, happened) < log_loss(base, happened)


def test_truth_lists_exactly_the_leads_in_question(ask, usual):
    """Recently active by the log, no open and no won deal: written in SQL over the tables."""
    difference = """
        with dates as (select distinct as_of from truth),
        state as (
          select d.as_of, x.account_id,
                 bool_or(x.closed_at is null or x.closed_at >= d.as_of or x.outcome = 'won') as taken
          from dates d join deals x on x.opened_at < d.as_of group by all),
        expected as (
          select distinct h.lead_id, d.as_of from human h
          join dates d on h.occurred_at < d.as_of and h.known_at < d.as_of
                      and h.occurred_at >= d.as_of - interval 91 day
          join leads l using (lead_id)
          left join state s on s.as_of = d.as_of and s.account_id = l.account_id
          where not coalesce(s.taken, false))
        select (select count(*) from (from expected except select lead_id, as_of from truth)),
               (select count(*) from (select lead_id, as_of from truth except from expected))
    """
    assert ask(usual, difference) == [(0, 0)]


def test_truth_does_not_depend_on_later_weeks(ask, dirty, tmp_path):
    """The same accounts in a shorter world: equal at every date both have."""
    shorter = simulate(tmp_path, leads=6_000, seed=3, world=replace(DEFAULT_WORLD, weeks=100))
    keep = "as_of <= '2024-11-25' and lead_id < 'L0020000'"
    rows = f"select lead_id, as_of, probability from truth where {keep} order by all"
    short_rows = ask(shorter, rows)
    assert len(short_rows) > 1_000
    assert short_rows == ask(dirty, rows)


def test_null_world_has_nothing_to_find(ask, tmp_path):
    """One probability per date and nothing else; it follows the calendar and is calibrated."""
    nothing = simulate(tmp_path, leads=6_000, seed=5, world=NULL_WORLD)
    spread = ask(nothing, "select max(probability) - min(probability) from truth group by as_of")
    assert max(spread)[0] < 1e-12
    assert ask(nothing, "select count(distinct round(probability, 9)) > 1 from truth") == [(True,)]
    account, probability, happened = outcomes(ask, nothing)
    assert abs(cluster_z(account, happened - probability)) < 3


def test_chosen_dates_are_written_and_others_refused(ask, tmp_path):
    chosen = simulate(tmp_path, leads=500, truth_as_of=[date(2024, 1, 1), date(2023, 1, 9)])
    assert ask(chosen, "select distinct as_of::date from truth order by 1") == [
        (date(2023, 1, 9),),
        (date(2024, 1, 1),),
    ]
    for wrong in (date(2024, 1, 2), date(2023, 1, 2), date(2030, 1, 7)):
        with pytest.raises(ValueError, match="Mondays"):
            simulate(tmp_path, leads=500, truth_as_of=[wrong])
