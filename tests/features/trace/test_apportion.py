"""What is kept whatever is laid: sums, order, chunks; what lies on the edge of a window; and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import Catalog, DataError, Tables, build_scoring_set, check_tables
from touchline.features.catalog import Account, Age, Burst, Count, DaysSince, Decayed, Distinct, Last, New
from touchline.features.sources.simulated import Traps, simulate
from touchline.features.trace import Apportioned, Trace
from touchline.playbook import Playbook

AS_OF = datetime(2024, 6, 3, tzinfo=UTC)
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
LONG_AGO = AS_OF - 300 * DAY


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Tables:
    folder: Path = tmp_path_factory.mktemp("company")
    simulate(folder / "data", leads=2_200, seed=4, traps=Traps(merges=True))
    check_tables(playbook, folder / "data", out=folder / "tables")
    return Tables.open(folder / "tables")


@pytest.fixture(scope="module")
def rows(tables: Tables, playbook: Playbook) -> pa.Table:
    leads = tables.frame("leads")["lead_id"].tolist()
    as_of = datetime(2025, 3, 3, tzinfo=UTC)
    return build_scoring_set(tables, playbook, as_of, catalog=Catalog(playbook, [Age()]), leads=leads).arrow()


def drawn(rows: pa.Table, catalog: Catalog, zeros: float = 0.5) -> np.ndarray:
    """Amounts of both signs, of very different sizes, and many of them 0, as trees give them."""
    rng = np.random.default_rng(0)
    shape = (len(rows), len(catalog))
    return rng.normal(size=shape) * 10.0 ** rng.integers(-6, 2, shape) * (rng.random(shape) >= zeros)


def families(catalog: Catalog) -> np.ndarray:
    return np.array([catalog.families.index(f.family) for f in catalog])


def summed(laid: Apportioned) -> np.ndarray:
    """What was laid, rows x groups, and what was not."""
    whole = laid.untraced + laid.rest
    np.add.at(whole, (laid.row, laid.group), laid.amount)
    return whole


def test_the_sum_is_kept_for_every_row_and_group(tables, playbook, everything, rows) -> None:
    amounts, group = drawn(rows, everything), families(everything)
    with Trace(tables, playbook, everything, rows) as trace:
        by_family, at_once = trace.apportion(amounts, groups=group), trace.apportion(amounts)
    assert len(rows) >= 2_000
    expected = np.stack([amounts[:, group == g].sum(axis=1) for g in range(group.max() + 1)], axis=1)
    assert np.abs(expected - by_family.untraced).max() > 1  # touches are given something
    np.testing.assert_allclose(summed(by_family), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(summed(at_once)[:, 0], amounts.sum(axis=1), rtol=0, atol=1e-9)
    for n in (0, 1, 3):
        np.testing.assert_allclose(summed(by_family.top(n)), expected, rtol=0, atol=1e-9)


def test_amounts_are_in_order_and_none_is_zero(tables, playbook, everything, rows) -> None:
    with Trace(tables, playbook, everything, rows) as trace:
        laid = trace.apportion(drawn(rows, everything), groups=families(everything))
    assert (laid.amount != 0).all()
    occurred = laid.touches["occurred_at"].to_numpy()[laid.touch].astype(np.int64)
    order = np.lexsort([-occurred, -np.abs(laid.amount), laid.group, laid.row])
    for found in (laid.row, laid.group, np.abs(laid.amount), occurred):
        assert (found == found[order]).all()
    pairs = pd.DataFrame({"row": laid.row, "group": laid.group, "touch": laid.touch})
    assert not pairs.duplicated().any()
    assert not laid.touches.to_pandas().duplicated(["touch_id", "lead_id"]).any()
    assert set(laid.touch) == set(range(len(laid.touches)))


def test_top_keeps_the_largest_of_each_row_and_group(tables, playbook, everything, rows) -> None:
    with Trace(tables, playbook, everything, rows) as trace:
        laid = trace.apportion(drawn(rows, everything), groups=families(everything))
    frame = pd.DataFrame({"row": laid.row, "group": laid.group, "amount": laid.amount})
    frame["touch_id"] = laid.touches["touch_id"].to_numpy()[laid.touch]
    first = frame.groupby(["row", "group"]).head(2)
    kept = laid.top(2)
    assert kept.amount.tolist() == first["amount"].tolist()
    assert kept.touches["touch_id"].to_numpy()[kept.touch].tolist() == first["touch_id"].tolist()
    assert set(kept.touch) == set(range(len(kept.touches)))
    assert len(laid.top(0)) == len(laid.top(0).touches) == 0
    with pytest.raises(ValueError, match="0 or more, not -1"):
        laid.top(-1)


def test_together_a_touch_has_what_its_groups_had(tables, playbook, everything, rows) -> None:
    with Trace(tables, playbook, everything, rows) as trace:
        laid = trace.apportion(drawn(rows, everything), groups=families(everything))
    together = laid.together()
    frame = pd.DataFrame({"row": laid.row, "touch": laid.touch, "amount": laid.amount})
    sums = frame.groupby(["row", "touch"])["amount"].sum()
    found = pd.Series(together.amount, pd.MultiIndex.from_arrays([together.row, together.touch]))
    pd.testing.assert_series_equal(found.sort_index(), sums, check_names=False)
    np.testing.assert_allclose(together.untraced[:, 0], laid.untraced.sum(axis=1))
    for row, own in pd.Series(together.amount).groupby(together.row):
        assert own.abs().is_monotonic_decreasing, row


def test_chunks_and_the_order_of_rows_change_no_bit(tables, playbook, everything, rows) -> None:
    amounts, group = drawn(rows, everything), families(everything)

    def told(laid: Apportioned, at: np.ndarray) -> pd.DataFrame:
        named = laid.touches.to_pandas().iloc[laid.touch].reset_index(drop=True)
        return named.assign(row=at[laid.row], group=laid.group, amount=laid.amount)

    size, every = 170, np.arange(len(rows))
    with Trace(tables, playbook, everything, rows) as trace:
        whole = trace.apportion(amounts, groups=group)
        pieces = [trace.apportion(amounts[i : i + size], start=i, groups=group) for i in every[::size]]
    joined = [told(laid, every[i * size :]) for i, laid in enumerate(pieces)]
    pd.testing.assert_frame_equal(pd.concat(joined, ignore_index=True), told(whole, every), check_exact=True)
    assert (np.concatenate([laid.untraced for laid in pieces]) == whole.untraced).all()
    turn = np.random.default_rng(1).permutation(len(rows))
    with Trace(tables, playbook, everything, rows.take(pa.array(turn))) as trace:
        shuffled = told(trace.apportion(amounts[turn], groups=group), turn)
    back = shuffled.sort_values("row", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(back, told(whole, every), check_exact=True)


def lead(name: str, **more: object) -> dict[str, object]:
    return {"lead_id": name, "created_at": LONG_AGO, **more}


def touch(name: str, at: datetime, lead_id: str = "L", **more: object) -> dict[str, object]:
    return {"touch_id": name, "lead_id": lead_id, "occurred_at": at, "kind": "webinar", **more}


def credited(tables: Tables, catalog: Catalog, name: str = "L") -> dict[str, dict[str, float]]:
    """Of each feature, what each touch gets of an amount of 12."""
    rows = pd.DataFrame({"lead_id": [name], "as_of": [AS_OF]})
    with Trace(tables, catalog.playbook, catalog, rows) as trace:
        laid = trace.apportion(np.full((1, len(catalog)), 12.0), groups=np.arange(len(catalog)))
    ids = laid.touches["touch_id"].to_pylist()
    found: dict[str, dict[str, float]] = {feature: {} for feature in catalog.names}
    for group, which, amount in zip(laid.group, laid.touch, laid.amount, strict=True):
        found[catalog.names[group]][ids[which]] = amount
    return found


def test_windows_are_closed_on_the_left_and_open_on_the_right(playbook, write) -> None:
    edge = AS_OF - 7 * DAY
    at = {"before": edge - TICK, "left": edge, "last": AS_OF - TICK, "as_of": AS_OF}
    tables = write(AS_OF + DAY, leads=[lead("L")], touches=[touch(name, t) for name, t in at.items()])
    catalog = Catalog(playbook, [Count(7), Account(Count(7)), DaysSince()])
    both = {"left": 6.0, "last": 6.0}
    assert list(credited(tables, catalog).values()) == [both, both, {"last": 12.0}]


@pytest.mark.parametrize(("known_at", "seen"), [(AS_OF - TICK, True), (AS_OF, False)])
@pytest.mark.parametrize("which", ["touch", "lead"])
def test_what_is_not_known_before_as_of_gets_nothing(playbook, write, known_at, seen, which) -> None:
    late = {"known_at": known_at}
    leads = [lead("L"), lead("M", account_id="A", **(late if which == "lead" else {})), lead("N", account_id="A")]
    touches = [touch("T", AS_OF - 3 * DAY, "M", **(late if which == "touch" else {}))]
    tables = write(AS_OF + DAY, leads=leads, touches=touches)
    catalog = Catalog(playbook, [Count(7), Account(Count(7))])
    assert list(credited(tables, catalog, "M").values()) == ([{"T": 12.0}] * 2 if seen else [{}, {}])
    assert list(credited(tables, catalog, "N").values()) == [{}, {"T": 12.0} if seen else {}]


def test_touches_of_machines_and_of_merges_count_where_their_features_count_them(playbook, write) -> None:
    """A merge lays a copy to the lead that goes on; to the account the original is there already."""
    leads = [lead("L", account_id="A"), lead("M", account_id="A")]
    at = AS_OF - 2 * DAY
    touches = [
        touch("original", at, "M"), touch("copy", at, merged_from="M"), touch("own", at), touch("m", at, machine=True),
    ]  # fmt: skip
    tables = write(AS_OF + DAY, leads=leads, touches=touches)
    catalog = Catalog(playbook, [Count(7), Account(Count(7)), Count(7, machine=True), Count(7, machine=None)])
    assert list(credited(tables, catalog).values()) == [
        {"copy": 6.0, "own": 6.0},
        {"original": 6.0, "own": 6.0},
        {"m": 12.0},
        {"copy": 4.0, "own": 4.0, "m": 4.0},
    ]


def test_a_name_has_an_equal_part_however_many_touches_it_has(playbook, write) -> None:
    at = [AS_OF - n * DAY for n in (1, 2, 3, 40)]
    named = zip("abcd", at, ["x", "x", "y", "y"], strict=True)
    touches = [touch(name, t, campaign=of) for name, t, of in named] + [touch("none", at[0])]
    tables = write(AS_OF + DAY, leads=[lead("L")], touches=touches)
    catalog = Catalog(playbook, [Distinct(7, of="campaign"), New(7, of="campaign"), Last(of="campaign")])
    assert list(credited(tables, catalog).values()) == [
        {"a": 3.0, "b": 3.0, "c": 6.0},
        {"a": 6.0, "b": 6.0},
        {"a": 12.0},
    ]


def test_of_equally_busy_days_the_first_has_all(playbook, write) -> None:
    at = {"later": AS_OF - 2 * DAY, "first": AS_OF - 4 * DAY, "outside": AS_OF - 40 * DAY}
    tables = write(AS_OF + DAY, leads=[lead("L")], touches=[touch(name, t) for name, t in at.items()])
    catalog = Catalog(playbook, [Burst(7), Account(Burst(30))])
    assert list(credited(tables, catalog).values()) == [{"first": 12.0}] * 2


def test_what_has_long_faded_still_has_its_touch(playbook, write) -> None:
    """Its weight is less than any number, and yet all there is."""
    at = AS_OF - 299 * DAY
    tables = write(AS_OF + DAY, leads=[lead("L")], touches=[touch("later", at), touch("earlier", at - DAY / 100)])
    found = credited(tables, Catalog(playbook, [Decayed(half_life=0.01)]))
    (parts,) = found.values()
    assert parts == pytest.approx({"later": 8.0, "earlier": 4.0}, rel=1e-9)


def test_a_company_without_touches_has_everything_untraced(playbook, write) -> None:
    tables = write(AS_OF, leads=[lead("L")])
    catalog = Catalog.default(playbook)
    rows = pd.DataFrame({"lead_id": ["L"], "as_of": [AS_OF]})
    with Trace(tables, playbook, catalog, rows) as trace:
        laid = trace.apportion(np.ones((1, len(catalog))))
        nothing = trace.apportion(np.ones((0, len(catalog))))
    assert laid.untraced.tolist() == [[len(catalog)]]
    assert len(laid) == len(laid.touches) == len(nothing) == 0
    assert nothing.untraced.shape == (0, 1)


def test_what_does_not_fit_is_refused_with_a_word(playbook, write) -> None:
    tables = write(AS_OF, leads=[lead("L")], touches=[touch("T", AS_OF - DAY)])
    catalog = Catalog(playbook, [Count(7), Count(30)])
    rows = pd.DataFrame({"lead_id": ["L"], "as_of": [AS_OF]})
    with pytest.raises(DataError, match="leads that do not exist"):
        Trace(tables, playbook, catalog, rows.assign(lead_id="nobody"))
    with Trace(tables, playbook, catalog, rows) as trace:
        with pytest.raises(ValueError, match=r"shape \(rows, 2 features\), not \(1, 3\)"):
            trace.apportion(np.ones((1, 3)))
        with pytest.raises(ValueError, match="rows 1 to 2 are not among the 1"):
            trace.apportion(np.ones((1, 2)), start=1)
        with pytest.raises(ValueError, match="groups must be 2 numbers from 0"):
            trace.apportion(np.ones((1, 2)), groups=np.array([0, -1]))
        with pytest.raises(ValueError, match="must be finite"):
            trace.apportion(np.array([[1, np.nan]]))


def test_nothing_is_left_in_the_scratch_folder(playbook, write, tmp_path, monkeypatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    tables = write(AS_OF, leads=[lead("L")], touches=[touch("T", AS_OF - DAY)])
    rows = pd.DataFrame({"lead_id": ["L"], "as_of": [AS_OF]})
    with Trace(tables, playbook, Catalog(playbook, [Count(7)]), rows):
        assert list(scratch.iterdir())
    assert not list(scratch.iterdir())
    with pytest.raises(DataError):
        Trace(tables, playbook, Catalog(playbook, [Count(7)]), rows.assign(lead_id="nobody"))
    assert not list(scratch.iterdir())
