"""On a simulated company with merges, scanners and late facts: credited touches give the feature's own value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from touchline.features import Catalog, Tables, build_training_set, check_tables
from touchline.features.catalog import (
    Account,
    Burst,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    First,
    Gap,
    Last,
    Rate,
    Share,
    Sum,
    TouchFeature,
    Trend,
)
from touchline.features.sources.simulated import Traps, simulate
from touchline.features.trace import Apportioned
from touchline.playbook import Playbook

DAY = pd.Timedelta(days=1)


class Company(NamedTuple):
    catalog: Catalog
    computed: pd.DataFrame
    """Keys and features, as the kernel computes them."""
    credited: pd.DataFrame
    """Row, feature, amount and touch."""
    laid: Apportioned


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook, everything: Catalog, each) -> Company:
    folder = tmp_path_factory.mktemp("traced")
    simulate(folder / "data", leads=300, seed=11, traps=Traps(merges=True, duplicates=True))
    file = folder / "data" / "touches.parquet"
    touches = pq.read_table(file)
    values = np.random.default_rng(0).integers(0, 1000, len(touches)) / 8  # sums that floats hold exactly
    pq.write_table(touches.append_column("value", pa.array(values, mask=values < 10)), file)
    check_tables(playbook, folder / "data", out=folder / "tables")
    tables = Tables.open(folder / "tables")
    leads = tables.frame("leads", ["lead_id"])
    dates = pd.DataFrame({"as_of": [datetime(2024, 11, 3, 15, 30, tzinfo=UTC), datetime(2025, 6, 2, tzinfo=UTC)]})
    rows = leads.merge(dates, how="cross")
    assert tables.frame("touches")["merged_from"].notna().any()
    assert tables.frame("touches")["machine"].any()
    found = build_training_set(tables, playbook, rows=rows, catalog=everything).frame
    # What is credited is joined to its value by lead too: a merge lays a touch to a second lead under the same id.
    valued = tables.frame("touches", ["touch_id", "lead_id", "value"])
    credited, laid = each(tables, everything, found[["lead_id", "as_of"]])
    credited = credited.merge(valued, on=["touch_id", "lead_id"], validate="many_to_one")
    credited["age"] = (found["as_of"].to_numpy()[credited["row"]] - credited["occurred_at"].to_numpy()) / DAY
    return Company(everything, found, credited.sort_values(["row", "feature", "occurred_at"]), laid)


def _each(company: Company, *kinds: type[TouchFeature]) -> list[tuple[str, TouchFeature, pd.Series, pd.DataFrame]]:
    """Name, declaration, values and credited touches of the features of some types, of leads and of accounts."""
    by_name = dict(iter(company.credited.groupby("feature")))
    found = []
    for f in company.catalog:
        inner = f.inner if isinstance(f, Account) else f
        if isinstance(inner, kinds):
            touches = by_name.get(f.name, company.credited.iloc[:0])
            found.append((f.name, inner, company.computed[f.name], touches))
    assert {type(f) for _, f, _, _ in found} >= set(kinds)
    assert sum(len(touches) for *_, touches in found) > 100
    return found


def _of(company: Company, touches: pd.DataFrame, what: Callable[..., pd.Series]) -> np.ndarray:
    """One number for each row, missing where no touch is credited."""
    return what(touches.groupby("row")).reindex(range(len(company.computed))).to_numpy(float)


def same(ours: np.ndarray, values: pd.Series, name: str) -> None:
    np.testing.assert_allclose(ours, values.to_numpy(float), rtol=1e-6, atol=1e-30, err_msg=name)


def test_as_many_touches_are_credited_as_are_counted(company: Company) -> None:
    for name, _, values, touches in _each(company, Count, Burst):
        same(np.nan_to_num(_of(company, touches, lambda g: g.size())), values, name)


def test_a_burst_is_of_one_day(company: Company) -> None:
    for _, _, _, touches in _each(company, Burst):
        assert (touches.groupby("row")["occurred_at"].agg(lambda at: at.dt.date.nunique()) == 1).all()


def test_as_many_names_are_credited_as_are_different(company: Company) -> None:
    for name, f, values, touches in _each(company, Distinct):
        of = {"day": touches["occurred_at"].dt.date, "person": touches["lead_id"]}.get(f.of)
        named = touches.assign(name=touches[f.of] if of is None else of)
        assert named["name"].notna().all()
        same(np.nan_to_num(_of(company, named, lambda g: g["name"].nunique())), values, name)


def test_values_of_what_is_credited_add_up(company: Company) -> None:
    for name, _, values, touches in _each(company, Sum):
        same(np.nan_to_num(_of(company, touches, lambda g: g["value"].sum())), values, name)
        assert (touches["value"] != 0).all()


def test_what_is_credited_has_faded_to_the_value(company: Company) -> None:
    for name, f, values, touches in _each(company, Decayed):
        weight = 0.5 ** (touches["age"] / f.half_life)
        same(np.nan_to_num(_of(company, touches.assign(w=weight), lambda g: g["w"].sum())), values, name)
        row = touches["row"]
        weight = 0.5 ** ((touches["age"] - touches["age"].groupby(row).transform("min")) / f.half_life)
        part = weight / weight.groupby(row).transform("sum")
        np.testing.assert_allclose(touches["amount"], part, rtol=1e-6)


def test_the_touch_since_when_is_the_one_credited(company: Company) -> None:
    for name, _, values, touches in _each(company, DaysSince, DaysSinceFirst):
        same(_of(company, touches, lambda g: g["age"].max()), values, name)
        same(_of(company, touches, lambda g: g["age"].min()), values, name)


def test_gaps_are_between_the_touches_credited(company: Company) -> None:
    for name, _, values, touches in _each(company, Gap):
        same(_of(company, touches, lambda g: (g["age"].max() - g["age"].min()) / (g.size() - 1)), values, name)


def test_the_name_picked_is_that_of_the_touch_credited(company: Company) -> None:
    for name, f, values, touches in _each(company, First, Last):
        picked = touches.groupby("row")[f.of].agg(set).reindex(range(len(values)))
        told = [{v} if isinstance(v, str) else None for v in values.astype(object)]
        assert [p if isinstance(p, set) else None for p in picked] == told, name


def test_what_is_above_the_line_of_a_ratio_is_credited(company: Company) -> None:
    """And nothing where the ratio is missing, or 0."""
    for name, f, values, touches in _each(company, Trend, Share, Rate):
        given = np.nan_to_num(_of(company, touches, lambda g: g.size()))
        ratio = values.to_numpy(float)
        assert ((given > 0) == (ratio > 0)).all(), name
        scale = f.against / f.days if isinstance(f, Trend) else 1
        below = scale * given[given > 0] / ratio[given > 0]  # touches below the line
        np.testing.assert_allclose(below, np.round(below), rtol=1e-5, err_msg=name)


def test_only_what_has_no_touch_is_untraced(company: Company) -> None:
    values = company.computed[company.catalog.names]
    for i, f in enumerate(company.catalog):
        untraced = company.laid.untraced[:, i]
        inner = f.inner if isinstance(f, Account) else f
        if isinstance(inner, TouchFeature):
            nothing = values[f.name].isna() if f.is_category else values[f.name].fillna(0) == 0
            faded = isinstance(inner, Decayed) & (untraced == 0)  # what has faded to 0 still has its touch
            assert ((untraced == nothing) | faded).all(), f.name
        else:
            assert (untraced == 1).all(), f.name


def test_no_touch_is_named_that_was_not_known(company: Company) -> None:
    as_of = company.computed["as_of"].to_numpy()[company.credited["row"]]
    assert (company.credited["known_at"].to_numpy() < as_of).all()
    assert (company.credited["occurred_at"].to_numpy() < as_of).all()
    late = company.credited["known_at"] - company.credited["occurred_at"] > DAY
    assert late.any()
