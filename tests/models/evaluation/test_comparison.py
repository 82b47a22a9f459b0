"""A comparison says what it stands on, keeps its tables in step with the plain functions, and shows itself."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import numpy as np
import pytest

from touchline.models.evaluation import (
    METRICS,
    Ranks,
    at_capacity,
    compare,
    gain_curve,
    log_loss,
    reliability_table,
    roc_auc,
)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    account = np.repeat(np.arange(250), 4)
    truth = 1 / (1 + np.exp(3 - np.repeat(random.normal(size=250) * 1.5, 4)))
    return {
        "y": random.random(1000) < truth,
        "groups": account,
        "leads": np.arange(1000) // 2,
        "as_of": np.datetime64("2024-01-01") + (np.arange(1000) % 4 * 20).astype("timedelta64[D]"),
        "amount": random.gamma(2, 1000, 1000),
        "true_probability": truth,
        "segments": {"size": np.array(["small", "large", None], object)[account % 3]},
    }


@pytest.fixture(scope="module")
def models(rows):
    q = rows["true_probability"]
    return {"truth": q, "timid": np.sqrt(q * q.mean()), "<points> & co": Ranks(np.round(np.log(q)))}


@pytest.fixture(scope="module")
def comparison(rows, models):
    return compare(models, capacity=20, reference="timid", draws=200, **rows)


def test_what_it_stands_on_is_stated(comparison, rows):
    basis = comparison.basis
    won = rows["y"]
    assert (basis.rows, basis.leads, basis.accounts) == (1000, 500, 250)
    assert (basis.won_rows, basis.won_leads) == (won.sum(), len(set(rows["leads"][won])))
    assert basis.won_accounts == len(set(rows["groups"][won]))
    assert (basis.dates, basis.first, basis.last) == (4, "2024-01-01", "2024-03-01")
    assert basis.called == pytest.approx(0.08)
    assert comparison.base_rate.value == pytest.approx(won.mean())
    assert comparison.base_rate.low < won.mean() < comparison.base_rate.high


def test_the_table_has_every_metric_of_every_model_with_its_interval(comparison, rows, models):
    table = comparison.to_frame()
    assert list(table.index) == list(models)
    assert set(table.columns) == {f"{m}{end}" for m in METRICS for end in ("", "_low", "_high")}
    assert table.loc["timid", "log_loss"] == pytest.approx(log_loss(rows["y"], models["timid"]))
    assert table.loc["<points> & co", "roc_auc"] == pytest.approx(roc_auc(rows["y"], models["<points> & co"].values))
    best = at_capacity(rows["y"], models["timid"], capacity=20, as_of=rows["as_of"])
    assert table.loc["timid", "capture"] == pytest.approx(best.capture)
    assert table.loc["truth", "information"] == pytest.approx(100)
    assert table.loc["<points> & co", "log_loss":"log_loss_high"].isna().all()
    known = table.dropna(axis=1)
    for name in (c for c in known if f"{c}_low" in known):
        assert (known[f"{name}_low"] <= known[name] + 1e-9).all(), name
        assert (known[name] <= known[f"{name}_high"] + 1e-9).all(), name


def test_each_other_model_is_compared_with_the_reference(comparison):
    paired = comparison.paired
    assert set(paired.index.get_level_values("model")) == {"truth", "<points> & co"}
    table = comparison.to_frame()
    assert paired.loc[("truth", "log_loss"), "value"] == pytest.approx(
        table.loc["truth", "log_loss"] - table.loc["timid", "log_loss"]
    )
    assert paired.loc[("truth", "log_loss"), "better"] > 0.9
    assert np.isnan(paired.loc[("<points> & co", "brier")]).all()


def test_tables_agree_with_the_plain_functions(comparison, rows, models):
    bins = reliability_table(rows["y"], models["timid"], rows["groups"])
    assert comparison.reliability.loc["timid"].to_numpy() == pytest.approx(bins.to_numpy())
    assert "<points> & co" not in comparison.reliability.index.get_level_values("model")
    assert comparison.by_month.loc["truth", "won_rows"].sum() == rows["y"].sum()
    assert len(comparison.by_month.loc["truth"]) == 3
    assert comparison.segments.loc[("size", "(missing)", "truth"), "rows"] == (rows["groups"] % 3 == 2).sum()
    assert len(comparison.segments) == 9


def test_gains_on_a_single_date_are_the_gain_curve(rows, models):
    day = np.full(1000, np.datetime64("2024-01-01"))
    found = compare(
        {"m": models["timid"]}, rows["y"], groups=rows["groups"], as_of=day, capacity=0.1, reference="m", draws=200
    )
    called, captured = gain_curve(rows["y"], models["timid"])
    gains = found.gains.loc["m"]
    assert gains["captured"].to_numpy() == pytest.approx(np.interp(gains.index, called, captured))
    assert gains["lift"].to_numpy() == pytest.approx(gains["captured"].to_numpy() / gains.index.to_numpy())
    assert found.paired.empty
    assert found.segments.empty
    assert found._repr_html_()


def test_it_is_json_without_nan(comparison):
    told = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert told["models"]["<points> & co"]["log_loss"]["value"] is None
    assert told["models"]["truth"]["roc_auc"]["low"] == comparison.to_frame().loc["truth", "roc_auc_low"]
    assert told["basis"]["won_accounts"] == comparison.basis.won_accounts
    assert {"model", "month", "observed"} <= set(told["by_month"][0])
    assert len(told["paired"]) == 2 * len(METRICS)


def test_its_page_names_models_safely_and_shows_what_is_unknown_as_a_dash(comparison):
    page = comparison._repr_html_()
    assert "&lt;points&gt; &amp; co" in page
    assert "<points>" not in page
    assert "—" in page
    assert "nan" not in page
    assert f"{comparison.basis.won_accounts} accounts" in page
    assert page.count("<tr>") == 2 + 3 + 2  # heads, models, models against the reference
    for tag in ("table", "tr", "td", "th", "div", "p", "span"):
        assert len(re.findall(rf"<{tag}[ >]", page)) == page.count(f"</{tag}>")


@pytest.mark.parametrize("picture", ["reliability", "gain", "lift", "calibration_over_time", "scores"])
def test_pictures_name_every_model_they_show(comparison, models, picture):
    from matplotlib.text import Text

    figure = getattr(comparison.plot, picture)()
    written = {text.get_text() for text in figure.findobj(Text)}
    chances_only = picture in ("reliability", "calibration_over_time")
    assert {"truth", "timid"} <= written
    assert ("<points> & co" in written) != chances_only
    held = io.BytesIO()
    figure.savefig(held, dpi=50)  # warnings of the layout are errors here
    assert held.getvalue().startswith(b"\x89PNG")


def test_the_reliability_picture_shows_the_bins(comparison):
    axes = comparison.plot.reliability().axes[0]
    shown = np.concatenate([line.get_xydata() for line in axes.lines[1:]])
    bins = comparison.reliability.loc["truth"]
    for said, seen in bins.loc[bins["observed"] > 0, ["expected", "observed"]].to_numpy():
        assert (np.abs(shown - [said, seen]).max(axis=1) < 1e-12).any()


def test_pictures_survive_models_that_only_rank_and_rows_without_a_win(rows):
    given = {"groups": rows["groups"], "as_of": rows["as_of"], "capacity": 0.1, "reference": "m", "draws": 200}
    none = compare({"m": np.full(1000, 0.1)}, np.zeros(1000, bool), **given)
    ranks = compare({"m": Ranks(np.arange(1000))}, rows["y"], **given)
    for found in (none, ranks):
        for picture in ("reliability", "gain", "lift", "calibration_over_time", "scores"):
            getattr(found.plot, picture)().savefig(io.BytesIO(), dpi=50)
        assert found._repr_html_()


def test_nothing_is_drawn_through_pyplot_and_nothing_heavy_is_imported_before_it_is_needed():
    code = (
        "import sys, numpy as np\n"
        "from touchline.models.evaluation import compare\n"
        "assert 'matplotlib' not in sys.modules\n"
        "p = np.linspace(.1, .9, 100)\n"
        "when = np.full(100, np.datetime64('2024-01-01'))\n"
        "c = compare({'m': p}, p > .5, groups=np.arange(100), as_of=when, capacity=10, reference='m', draws=200)\n"
        "c.plot.gain()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_rows_in_any_order_make_the_same_comparison(comparison, rows, models):
    turn = np.random.default_rng(1).permutation(1000)
    moved = {k: v[turn] for k, v in rows.items() if k != "segments"}
    moved["segments"] = {"size": rows["segments"]["size"][turn]}
    shuffled = {m: Ranks(v.values[turn]) if isinstance(v, Ranks) else v[turn] for m, v in models.items()}
    other = compare(shuffled, capacity=20, reference="timid", draws=200, **moved)
    for table in ("metrics", "paired", "segments", "by_month", "reliability", "gains"):
        ours, theirs = getattr(comparison, table), getattr(other, table)
        assert ours.index.equals(theirs.index)
        assert theirs.to_numpy() == pytest.approx(ours.to_numpy(), nan_ok=True, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reference": "champion"}, "reference 'champion' is none of the models: truth, timid"),
        ({"as_of": np.arange(1000)}, "as_of must be datetime64"),
        ({"leads": [1]}, "leads must have one value"),
        ({"capacity": 2.5}, "capacity must be"),
        ({"segments": {"region": ["n"]}}, "segment 'region' must have one value"),
    ],
)
def test_what_is_wrong_is_named(rows, models, change, words):
    with pytest.raises(ValueError, match=words):
        compare(models, **{**rows, "capacity": 20, "reference": "timid", "draws": 200, **change})
