"""What is not told drops out of the truth: held against edited stories, edited worlds, and a plain chain."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from touchline.features.sources.simulated import DEFAULT_WORLD, GROUPS, Traps, truth_given
from touchline.features.sources.simulated.dynamics import compile_world
from touchline.features.sources.simulated.optimum import win_chances
from touchline.features.sources.simulated.records import deliver
from touchline.features.sources.simulated.story import live
from touchline.features.sources.simulated.told import told

AS_OF = np.array([30, 75, 120])
MODELS = compile_world(DEFAULT_WORLD, Traps())
KINDS_OF = {"web": (2, 3, 4), "events": (5, 6, 7)}


@pytest.fixture(scope="module")
def story():
    return live(MODELS, np.uint64(5), 0, 400)


def known_week(story):
    return deliver(story, MODELS[0], np.uint64(6)).known_week


def chances(story, known, groups, models=MODELS, *, listens=None):
    return win_chances(models, story, known, AS_OF, listens or told(models[0], groups))


def test_all_groups_are_the_truth_itself_bit_for_bit(plain):
    truth = pq.read_table(plain.path / "truth.parquet")
    again = truth_given(GROUPS, leads=1_500, seed=8)
    assert truth.num_rows > 1_000
    assert again.to_pydict() == truth.to_pydict()


def test_rows_do_not_depend_on_what_is_told():
    full, none = (truth_given(groups, leads=300, seed=2) for groups in (GROUPS, ()))
    for column in ("lead_id", "as_of", "won"):
        assert full[column].to_pylist() == none[column].to_pylist()
    assert full["probability"].to_pylist() != none["probability"].to_pylist()


@pytest.mark.parametrize("group", ["web", "events"])
def test_touches_that_are_not_told_might_as_well_not_exist(story, group):
    """As in a world in which such touches never happen, and a story without them."""
    rates = [(0.0,) * 4 if k in KINDS_OF[group] else row for k, row in enumerate(DEFAULT_WORLD.weekly_rate)]
    silent = compile_world(replace(DEFAULT_WORLD, weekly_rate=tuple(rates)), Traps())
    known = known_week(story)
    kept = ~np.isin(story.touches["kind"], KINDS_OF[group])
    touches, accounts = story.touches[kept], story.accounts.copy()
    account = story.people["account"][touches["person"]]
    accounts["touch_start"] = np.searchsorted(account, np.arange(len(accounts)), "left")
    accounts["touch_end"] = np.searchsorted(account, np.arange(len(accounts)), "right")
    expected = chances(story._replace(touches=touches, accounts=accounts), known[kept], GROUPS, silent)
    found = chances(story, known, set(GROUPS) - {group})
    assert kept.mean() < 0.99
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    assert not np.allclose(found, chances(story, known, GROUPS), rtol=0.1, equal_nan=True)


def test_a_fit_that_is_not_told_is_drawn_anew(story):
    """As if accounts showed nothing of themselves, and hid all of their fit."""
    listens = told(MODELS[0], set(GROUPS) - {"fit"})
    world = replace(
        DEFAULT_WORLD,
        residual_fit=tuple(listens.residual_fit),
        residual_share=tuple(listens.residual_share / listens.residual_share.sum()),
    )
    accounts = story.accounts.copy()
    accounts["visible_fit"] = 0.0
    expected = chances(story._replace(accounts=accounts), known_week(story), GROUPS, compile_world(world, Traps()))
    np.testing.assert_allclose(chances(story, known_week(story), set(GROUPS) - {"fit"}), expected, rtol=1e-9)


def drawn_fits(size):
    """Whole fits of accounts, drawn as the world says."""
    world, random = DEFAULT_WORLD, np.random.default_rng(0)
    log_size = np.log(np.maximum(1, np.rint(np.exp(random.normal(world.log_size_mean, world.log_size_sd, size)))))
    return (
        world.fit_offset
        - world.size_penalty * (log_size - world.best_log_size) ** 2
        + random.choice(world.industry_fit, size, p=world.industry_share)
        + random.choice(world.region_fit, size, p=world.region_share)
        + random.choice(world.residual_fit, size, p=world.residual_share)
    )


def test_three_fits_have_the_moments_of_all():
    listens = told(MODELS[0], ())
    fits = drawn_fits(1_000_000)
    for order in range(6):
        powers = fits**order
        moment = (listens.residual_share * listens.residual_fit**order).sum()
        assert abs(powers.mean() - moment) <= 5 * powers.std() / 1_000 + 1e-9, order


def base_rate(fits, shares, calls, as_of):
    """Chance of an account without deals of which only calls (None: nobody is there) are known: a plain chain."""
    w = DEFAULT_WORLD

    def move(z_to):
        """Mean over sends of the transition matrices (fit, from, to)."""
        matrices = np.zeros((len(fits), 4, 4))
        for send, chance in ((0, 1 - w.send_chance), (1, w.send_chance)):
            one = np.tile(np.array(w.fall_chance), (len(fits), 1, 1))
            for z in range(3):
                one[:, z, z + 1] = 1 / (1 + np.exp(-(w.rise_base[z] + w.rise_fit[z] * fits + w.rise_send[z] * send)))
            one[:, range(4), range(4)] = 1 - one.sum(2)
            matrices += chance * one
        return np.einsum("fz,fzy->fy", z_to, matrices)

    def opens(call):
        hazard = np.array(w.opportunity_hazard) * np.exp(w.opportunity_fit * fits)[:, None]
        yes, no = (np.minimum(w.hazard_ceiling, hazard * (1 + w.opportunity_call * c)) for c in (1, 0))
        return w.call_chance * yes + (1 - w.call_chance) * no if call is None else yes if call else no

    belief = np.zeros((len(fits), 4))
    belief[:, 0] = shares
    for week in range(as_of):
        belief = move(belief * (1 - opens(calls[week])))
    belief /= belief.sum()
    without, having, won = belief, np.zeros_like(belief), 0.0
    for week in range(as_of, as_of + 13):
        win = np.array(w.win_hazard) * np.exp(w.win_fit * fits)[:, None] * w.closing[week % 13]
        win, lose = np.minimum(w.hazard_ceiling, win), np.array(w.lose_hazard)
        lost = np.zeros_like(belief)
        lost[:, 0] = (having * lose).sum(1)
        won += (having * win).sum()
        without, having = (
            move(without * (1 - opens(None)) + lost),
            move(without * opens(None) + having * (1 - win - lose)),
        )
    return won


def test_nothing_told_leaves_the_base_rate(story):
    """Exactly for the three fits of the quadrature; closely for the distribution of fits that they stand for."""
    found = chances(story, known_week(story), ())
    listens = told(MODELS[0], ())
    many = drawn_fits(4_000)
    seen = 0
    for a in np.flatnonzero((story.deal == 0).all(axis=1))[:60]:
        there = story.people["arrival"][story.accounts["people_start"][a] : story.accounts["people_end"][a]]
        calls = [None if week < min(there, default=999) else story.call[a, week] for week in range(150)]
        for place, as_of in enumerate(AS_OF):
            if np.isnan(found[a, place]):
                continue
            three = base_rate(listens.residual_fit, listens.residual_share, calls, as_of)
            assert abs(found[a, place] / three - 1) < 1e-9
            if seen < 6:
                assert abs(found[a, place] / base_rate(many, np.full(4_000, 1 / 4_000), calls, as_of) - 1) < 0.1
            seen += 1
    assert seen > 30


def test_a_group_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match=r"No such group of facts: phone\. There are fit, web"):
        truth_given({"phone", "web"}, leads=10)
