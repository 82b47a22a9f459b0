"""Worlds other than the default one: intent on the contact, and a change in the middle."""

import json
from dataclasses import replace

import numpy as np
import pytest

from touchline.features.sources.simulated import (
    CONTACT_WORLD,
    DEFAULT_WORLD,
    DRIFT_WORLD,
    Drift,
    Traps,
    block,
    simulate,
)
from touchline.features.sources.simulated.dynamics import compile_world
from touchline.features.sources.simulated.optimum import win_chances
from touchline.features.sources.simulated.records import deliver
from touchline.features.sources.simulated.story import live
from touchline.features.sources.simulated.told import told

DRIFT_WEEK = 112
DRIFT_DAY = "2025-02-24"  # Monday of week 112


def count(ask, where, query):
    ((number,),) = ask(where, f"select count(*) {query}")
    return number


def test_people_who_are_apart_share_accounts(ask, contact):
    sizes = dict(ask(contact, "select n, count(*) from (select count(*) n from leads group by account_id) group by 1"))
    assert set(sizes) == {1, 2, 3, 4}
    assert contact.people == pytest.approx(10_000, rel=0.05)
    assert count(ask, contact, "from accounts anti join leads using (account_id)") == 0
    owners = "from (select count(distinct owner_id) n from leads group by account_id) where n > 1"
    assert count(ask, contact, owners) == 0


def test_every_deal_of_a_contact_names_a_lead_who_was_there(ask, contact):
    there = "from deals d join leads l using (lead_id) where d.account_id = l.account_id and l.created_at < d.opened_at"
    assert count(ask, contact, there) == count(ask, contact, "from deals") > 1_000
    assert count(ask, contact, "from deals where (amount is not null) != (coalesce(outcome, '') = 'won')") == 0
    overlap = """from deals a join deals b using (lead_id) where b.opened_at > a.opened_at
                 and (a.closed_at is null or a.outcome = 'won' or b.opened_at < a.closed_at)"""
    assert count(ask, contact, overlap) == 0
    at_once = "from deals a join deals b using (account_id) where a.lead_id < b.lead_id and a.opened_at < b.closed_at"
    assert count(ask, contact, f"{at_once} and b.opened_at < a.closed_at") > 0


def test_journey_of_a_contact_follows_own_deals_only(ask, contact):
    stages = "select lead_id, stage, entered_at from stages where stage in ('opportunity', 'won', 'lost')"
    deals = """select lead_id, 'opportunity', opened_at from deals
               union all select lead_id, outcome, closed_at from deals where outcome is not null"""
    assert count(ask, contact, f"from ({stages} except all ({deals}))") == 0
    assert count(ask, contact, f"from (({deals}) except all {stages})") == 0


def test_truth_lists_exactly_the_contacts_in_question(ask, contact):
    """Recently active by the log, no deal of their own before as_of, be it open, won or lost: in SQL."""
    difference = """
        with dates as (select distinct as_of from truth),
        expected as (
          select distinct h.lead_id, d.as_of from human h
          join dates d on h.occurred_at < d.as_of and h.known_at < d.as_of
                      and h.occurred_at >= d.as_of - interval 91 day
          where not exists (from deals x where x.lead_id = h.lead_id and x.opened_at < d.as_of))
        select (select count(*) from (from expected except select lead_id, as_of from truth)),
               (select count(*) from (select lead_id, as_of from truth except from expected))
    """
    assert ask(contact, difference) == [(0, 0)]


def colleagues_z(ask, simulation):
    """Sum over accounts of the products of colleagues' surprises, in standard errors: do they go together?"""
    rows = ask(
        simulation,
        """select account_id, lead_id, sum(won::int - probability) from truth join leads using (lead_id)
           where won is not null group by all order by all""",
    )
    account = np.unique([row[0] for row in rows], return_inverse=True)[1]
    surprise = np.array([row[2] for row in rows])
    products = np.bincount(account, surprise) ** 2 - np.bincount(account, surprise**2)
    return products.sum() / np.sqrt((products**2).sum())


def test_colleagues_win_together_only_where_intent_lives_on_the_account(ask, contact, usual):
    assert abs(colleagues_z(ask, contact)) < 3
    assert colleagues_z(ask, usual) > 10


def test_one_contact_per_account_is_still_calibrated(ask, tmp_path):
    single = simulate(tmp_path, leads=2_000, traps=Traps(several_people=False), world=CONTACT_WORLD)
    assert count(ask, single, "from leads") - count(ask, single, "from accounts") == 0
    assert count(ask, single, "from deals where lead_id is null") == 0
    ((ratio,),) = ask(single, "select sum(won::int) / sum(probability) from truth where won is not null")
    assert 0.7 < float(ratio) < 1.4


def test_block_size_changes_no_contact(ask, tmp_path, monkeypatch):
    """Blocks end between accounts, so that nobody loses a colleague."""
    usual = simulate(tmp_path / "usual", leads=800, seed=8, world=CONTACT_WORLD)
    monkeypatch.setattr(block, "ACCOUNTS_PER_BLOCK", 101)
    small = simulate(tmp_path / "small", leads=800, seed=8, world=CONTACT_WORLD)
    for query in ("from truth order by all", "select account_id, industry, size, region from accounts order by all"):
        assert ask(small, query) == ask(usual, query) != []


def test_drift_changes_nothing_before_its_week(ask, drifting, dirty):
    """The same accounts in the default world: equal while the horizon ends before the drift, and nearly so no later."""
    rows = "select lead_id, as_of, probability, won from truth where lead_id < 'L0020000' and {} order by all"
    before = rows.format(f"as_of + interval 91 day <= timestamp '{DRIFT_DAY}'")
    assert ask(drifting, before) == ask(dirty, before) != []
    ahead = rows.format(f"as_of between timestamp '{DRIFT_DAY}' - interval 90 day and timestamp '{DRIFT_DAY}'")
    known, unaware = (ask(where, ahead) for where in (drifting, dirty))
    assert [row[:2] for row in known] == [row[:2] for row in unaware] != []
    assert sum(row[2] for row in known) < sum(row[2] for row in unaware)  # fewer deals will open


def test_optimum_is_calibrated_after_the_drift(ask, drifting):
    rows = ask(
        drifting,
        f"""select account_id, sum(won::int - probability), sum(won::int) from truth join leads using (lead_id)
            where won is not null and as_of + interval 91 day > timestamp '{DRIFT_DAY}' group by 1""",
    )
    surprise = np.array([row[1] for row in rows])
    assert sum(row[2] for row in rows) > 200
    assert abs(surprise.sum() / np.sqrt((surprise**2).sum())) < 3


def test_who_ignores_the_drift_forecasts_worse():
    """The optimum of the default world, applied to accounts of the drifting one, loses likelihood after the change."""
    models = compile_world(DRIFT_WORLD, Traps())
    story = live(models, np.uint64(5), 0, 6_000)
    known_week = deliver(story, models[0], np.uint64(6)).known_week
    as_of = np.array([DRIFT_WEEK - 13, 124, 137])
    aware, unaware = (
        win_chances(each, story, known_week, as_of, told(each[0]))
        for each in (models, compile_world(DEFAULT_WORLD, Traps()))
    )
    won = story.accounts["won_week"][:, None] < as_of + 13
    gain = np.where(won, np.log(aware / unaware), np.log1p(-aware) - np.log1p(-unaware))
    np.testing.assert_array_equal(aware[:, 0], unaware[:, 0])
    after = np.nansum(gain[:, 1:], axis=1)
    assert after.sum() > 3 * np.sqrt((after**2).sum())


def test_report_tells_what_is_set_of_the_world(drifting, contact, dirty):
    drift, apart, default = (
        json.loads((simulation.path / "simulation.json").read_text())["world"]
        for simulation in (drifting, contact, dirty)
    )
    assert drift["drift"]["week"] == DRIFT_WEEK
    assert set(drift["drift"]["changes"]) == {"weekly_rate", "opportunity_hazard"}
    assert apart["people_apart"] == 4
    assert set(drift) - {"drift"} == set(apart) - {"people_apart"} == set(default)


@pytest.mark.parametrize(
    ("world", "message"),
    [
        (replace(DEFAULT_WORLD, people_apart=0), "people_apart must be at least 1"),
        (replace(DEFAULT_WORLD, drift=Drift(0, {"win_fit": 0.1})), "week must be at least 1"),
        (replace(DEFAULT_WORLD, drift=Drift(9, {"style": (1.0, 2.0)})), "cannot change style; it can change"),
        (replace(DEFAULT_WORLD, drift=Drift(9, {"win_hazard": (0.1,)})), "win_hazard needs 4 values, but has 1"),
    ],
)
def test_worlds_that_cannot_be_are_refused(world, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        simulate(tmp_path, leads=10, world=world)
