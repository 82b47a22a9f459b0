"""Intervals redraw whole accounts, know what each account counts for, and hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from touchline.models.evaluation import (
    METRICS,
    Ranks,
    at_capacity,
    bootstrap,
    brier,
    calibration,
    calibration_by_segment,
    count_interval,
    information_captured,
    log_loss,
    observed_expected,
    pr_auc,
    roc_auc,
    skill,
)
from touchline.models.evaluation.draws import counts_of_draws, once, places_of_dates
from touchline.models.evaluation.redraw import Redraw
from touchline.models.evaluation.sample import Scores, sample


def company(seed, accounts=300, rows_each=6, effect=1.5):
    """Accounts whose rows share an intent; a model that sees it through noise."""
    random = np.random.default_rng(seed)
    intent = np.repeat(random.normal(size=accounts) * effect, rows_each)
    account = np.repeat(np.arange(accounts), rows_each)
    date = np.tile(np.arange(rows_each) % 3, accounts)
    truth = 1 / (1 + np.exp(3 - intent))
    seen = np.round(0.8 * intent + random.normal(size=len(intent)), 1)  # rounded: there are ties
    return random.random(len(intent)) < truth, 1 / (1 + np.exp(3 - seen)), account, date, truth


def everything(y, p, date, truth, amount, weight, capacity):
    line = calibration(y, p, weight)
    best = at_capacity(y, p, capacity=capacity, as_of=date, probability=p, amount=amount, weight=weight)
    return {
        "log_loss": log_loss(y, p, weight),
        "skill": skill(y, p, weight),
        "brier": brier(y, p, weight),
        "information": information_captured(truth, p, weight),
        "roc_auc": roc_auc(y, p, weight),
        "pr_auc": pr_auc(y, p, weight),
        "observed_expected": observed_expected(y, p, weight),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "calibration_in_the_large": line.in_the_large,
        **best._asdict(),
    }


@pytest.mark.parametrize("capacity", [30, 0.2])
def test_a_draw_is_what_one_gets_from_rows_that_are_really_repeated(capacity):
    """The oracle copies the rows of drawn accounts and asks the plain metrics."""
    y, p, account, date, truth = company(0)
    amount = np.linspace(1, 9, len(y))
    weight = 1.0 + account % 2
    found = bootstrap(
        {"m": p}, y, account, as_of=date, capacity=capacity, amount=amount, true_probability=truth, weight=weight
    ).drawn["m"]
    assert set(found) == set(METRICS)
    itself = everything(y, p, date, truth, amount, weight, capacity)
    for name, value in itself.items():
        assert found[name].value == pytest.approx(value, rel=1e-6), name
    counts = next(counts_of_draws(300, 1000, 0))
    for k in (0, 5, 31):
        rows = np.repeat(np.arange(len(y)), counts[account, k].astype(int))
        redrawn = everything(y[rows], p[rows], date[rows], truth[rows], amount[rows], weight[rows], capacity)
        for name, value in redrawn.items():
            one_step = name.startswith("calibration")  # a Newton step stands for the fit
            assert found[name].draws[k] == pytest.approx(value, rel=0.03 if one_step else 1e-9, abs=0.03 * one_step), (
                name
            )


@pytest.mark.parametrize("capacity", [30, 0.2])
def test_influence_is_the_slope_of_the_metric_in_an_accounts_weight(capacity):
    y, p, account, date, truth = company(1)
    data = sample(y, account, as_of=date, true_probability=truth, amount=np.ones(len(y)))
    model = Redraw(data, Scores(p, p), capacity)
    rng = np.random.default_rng(0)

    def metrics(counts):
        return model.metrics(counts, places_of_dates(data.date, data.places, data.group, counts))

    influence = model.influence(places_of_dates(data.date, data.places, data.group, once(300))[:, 0])
    direction = rng.normal(size=(300, 1))
    up, down = metrics(once(300) + 1e-5 * direction), metrics(once(300) - 1e-5 * direction)
    at_the_edge = {"capture", "lift", "precision", "expected_wins", "expected_value"}  # smoothed around the capacity
    for name, values in influence.items():
        if name not in at_the_edge:
            slope = (up[name][0] - down[name][0]) / 2e-5
            assert slope == pytest.approx((values @ direction)[0], rel=1e-4, abs=1e-7), name


def test_the_spread_of_draws_is_that_of_the_influences():
    """Two ways to a standard error that share no code: redrawing, and the infinitesimal jackknife."""
    y, p, account, date, truth = company(2, accounts=600)
    found = bootstrap({"m": p}, y, account, as_of=date, capacity=0.2, true_probability=truth).drawn["m"]
    for name, drawn in found.items():
        u = drawn.influence - drawn.influence.mean()
        assert drawn.draws.std() == pytest.approx(np.sqrt((u**2).sum()), rel=0.15), name


def test_rows_in_any_order_give_the_same_intervals():
    y, p, account, date, _ = company(3)
    turn = np.random.default_rng(0).permutation(len(y))
    names = np.array([f"account {a:04}" for a in account])
    one = bootstrap({"m": p}, y, names, as_of=date, capacity=20, draws=200)
    other = bootstrap({"m": p[turn]}, y[turn], names[turn], as_of=date[turn], capacity=20, draws=200)
    for name in one.metrics("m"):
        assert other.interval("m", name) == pytest.approx(one.interval("m", name)), name


def test_the_seed_decides():
    y, p, account, date, _ = company(3)
    first, again, other = (
        bootstrap({"m": p}, y, account, as_of=date, capacity=20, draws=200, seed=s).interval("m", "roc_auc")
        for s in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_accounts_make_intervals_wider_than_rows_do():
    y, _, account, _, _ = company(4, effect=2.5)
    p = np.full(len(y), 0.1)
    by_account = bootstrap({"m": p}, y, account, capacity=20).interval("m", "observed_expected")
    by_row = bootstrap({"m": p}, y, np.arange(len(y)), capacity=20).interval("m", "observed_expected")
    assert by_account.high - by_account.low > 1.4 * (by_row.high - by_row.low)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """120 companies with some 50 won accounts, whose true base rate is an integral over the accounts' intents."""
    x, w = np.polynomial.hermite_e.hermegauss(60)
    truth = float((w / w.sum() / (1 + np.exp(4.2 - 2 * x))).sum())
    account = np.repeat(np.arange(200), 10)
    p = np.full(2000, truth)
    ours = by_table = rows = 0
    for seed in range(120):
        random = np.random.default_rng(seed)
        y = random.random(2000) < np.repeat(1 / (1 + np.exp(4.2 - 2 * random.normal(size=200))), 10)
        _, low, high = bootstrap({"m": p}, y, account, capacity=0.1, draws=300).interval("m", "observed_expected")
        ours += low <= 1 <= high
        table = calibration_by_segment(y, p, account, np.zeros(2000)).iloc[0]
        by_table += table["oe_low"] <= 1 <= table["oe_high"]
        drawn = bootstrap({"m": p}, y, np.arange(2000), capacity=0.1, draws=300).drawn["m"]["observed_expected"]
        low, high = np.quantile(drawn.draws, [0.025, 0.975])
        rows += low <= 1 <= high
    assert 0.9 <= ours / 120 <= 0.995
    assert 0.9 <= by_table / 120 <= 0.995
    assert rows / 120 < 0.8


def test_a_paired_difference_is_of_the_same_draws():
    y, p, account, date, _ = company(5)
    worse = np.clip(p * 0.3, 0, 1)
    found = bootstrap({"good": p, "bad": worse}, y, account, as_of=date, capacity=20)
    one, other = found.drawn["bad"]["log_loss"], found.drawn["good"]["log_loss"]
    value, low, high, better = found.paired("bad", "good", "log_loss")
    assert value == pytest.approx(log_loss(y, worse) - log_loss(y, p))
    assert low < value < high
    assert better == (one.draws < other.draws).mean()
    assert found.paired("bad", "good", "roc_auc") == (0, 0, 0, 0.5)  # the same order
    assert found.paired("good", "bad", "observed_expected").better > 0.9  # nearer to 1, though smaller


def test_a_model_that_only_ranks_has_no_chances():
    y, p, account, date, _ = company(6)
    found = bootstrap({"points": Ranks(100 * p - 7), "chances": p}, y, account, as_of=date, capacity=20, draws=200)
    assert found.metrics("points") == ["roc_auc", "pr_auc", "capture", "lift", "precision"]
    assert np.isnan(found.interval("points", "log_loss")).all()
    assert np.isnan(found.paired("points", "chances", "brier")).all()
    assert found.interval("points", "roc_auc") == pytest.approx(found.interval("chances", "roc_auc"))


def test_a_perfect_order_is_not_certain():
    """All of 8 won accounts on top: the exact interval of 8 of 8, as Clopper and Pearson give it."""
    y = np.repeat(np.arange(100) < 8, 2)
    found = bootstrap({"m": y * 0.5 + 0.1}, y, np.repeat(np.arange(100), 2), capacity=0.2, draws=200)
    assert found.interval("m", "capture") == pytest.approx((1, 0.025 ** (1 / 8), 1))
    assert found.interval("m", "roc_auc").low == pytest.approx(0.6306, abs=1e-4)


def test_too_few_won_accounts_have_no_interval():
    y = np.arange(200) < 2
    p = np.random.default_rng(0).random(200)
    value, low, high = bootstrap({"m": p}, y, np.arange(200), capacity=0.2).interval("m", "roc_auc")
    assert np.isfinite(value)
    assert np.isnan([low, high]).all()


def test_no_won_row_leaves_what_still_has_a_meaning():
    y, p = np.zeros(50, bool), np.linspace(0.01, 0.2, 50)
    found = bootstrap({"m": p}, y, np.arange(50), capacity=5, draws=200)
    assert np.isnan(found.interval("m", "roc_auc")).all()
    assert found.interval("m", "log_loss").value == pytest.approx(log_loss(y, p))


def test_equal_single_wins_have_the_exact_poisson_interval():
    won = np.r_[np.ones(7), np.zeros(93)]
    low, high = count_interval(won, np.full(100, 1e9), 1.0, 1e9)
    wide = 7 - 7**2 / 100  # the accounts' residuals vary a little less than a Poisson count
    assert low == pytest.approx(wide / 14 * chi2.ppf(0.025, 2 * 49 / wide))
    assert high == pytest.approx(chi2.ppf(0.975, 2 * 64 / (wide + 1)) * (wide + 1) / 16)
    exact = chi2.ppf(0.025, 14) / 2, chi2.ppf(0.975, 16) / 2
    assert (low, high) == pytest.approx(exact, rel=0.05)


def test_no_win_and_nothing_but_wins_mirror_each_other():
    none = count_interval(np.zeros(40), np.ones(40), 1.0, 40.0)
    all_of_them = count_interval(np.ones(40), np.ones(40), 1.0, 40.0)
    assert none[0] == 0
    assert none[1] == pytest.approx(chi2.ppf(0.975, 2) / 2)
    assert all_of_them == pytest.approx((40 - none[1], 40))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": {}}, "scores is empty"),
        ({"draws": 10}, "draws must be at least 200"),
        ({"groups": ["a", None]}, "groups is missing in 1 of 2 rows; give a row without an account its lead's id"),
        ({"groups": ["a"]}, "groups must have one value for each row of y"),
        ({"scores": {"x": [0.1, 3]}}, "scores of 'x' must lie between 0 and 1"),
        ({"scores": {"x": Ranks([1, np.inf])}}, "scores of 'x' holds 1 missing or infinite"),
        ({"amount": [1, np.nan]}, "amount holds 1 missing"),
        ({"true_probability": [1, 2]}, "true_probability must lie"),
    ],
)
def test_what_is_wrong_is_named(change, words):
    given = {"scores": {"x": [0.1, 0.2]}, "y": [True, False], "groups": ["a", "b"], "capacity": 1, **change}
    with pytest.raises(ValueError, match=words):
        bootstrap(**given)
    with pytest.raises(ValueError, match="no metric 'accuracy'"):
        bootstrap({"x": [0.1, 0.2]}, [True, False], [0, 1], capacity=1, draws=200).interval("x", "accuracy")
