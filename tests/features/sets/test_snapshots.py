"""Who is a row, and what became of it: against the simulator, and against the definition in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from touchline.features import Catalog, DataError, Tables, build_scoring_set, build_training_set, check_tables
from touchline.features.catalog import Count
from touchline.features.snapshots import as_of_dates
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import Playbook, parse_playbook, starter_playbook, starter_text

START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2024, 12, 30, tzinfo=UTC)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)


def agreed(**changes: str) -> Playbook:
    text = starter_text()
    for old, new in changes.values():  # type: ignore[misc]
        assert old in text
        text = text.replace(old, new)
    return parse_playbook(text)


def one(playbook: Playbook) -> Catalog:
    return Catalog(playbook, [Count(7)])


def test_rows_and_labels_are_the_simulators_own(tmp_path):
    simulate(tmp_path / "data", leads=1_500, seed=11, traps=Traps(merges=False, duplicates=True))
    playbook = starter_playbook()
    check_tables(playbook, tmp_path / "data", out=tmp_path / "tables")
    made = build_training_set(tmp_path / "tables", playbook, catalog=one(playbook))
    truth = pd.read_parquet(tmp_path / "data" / "truth.parquet")
    mature = truth[truth["as_of"] <= pd.Timestamp(made.manifest["windows"]["mature_until"])]
    both = mature.merge(made.frame, on=["lead_id", "as_of"], how="left", suffixes=("_true", ""))
    assert len(both) > 5_000
    found = both["won"].notna()
    assert (both.loc[found, "won"] == both.loc[found, "won_true"]).all()
    # The simulator also looks at leads that have been quiet for long: nobody of these is active.
    touches = pd.read_parquet(tmp_path / "tables" / "touches.parquet")
    interest = [name for name, kind in playbook.kinds.items() if kind.engagement]
    touches = touches[touches["kind"].isin(interest) & ~touches["machine"]]
    quiet = both.loc[~found, ["lead_id", "as_of"]].merge(touches, on="lead_id")
    active = (quiet["occurred_at"] >= quiet["as_of"] - playbook.snapshots.active_within) & (
        quiet[["occurred_at", "known_at"]].max(axis=1) < quiet["as_of"]
    )
    assert len(quiet)
    assert not active.any()


times = st.integers(0, 52 * 7 * 4).map(lambda q: START + timedelta(hours=6 * q))
later = st.sampled_from([timedelta(0), timedelta(0), timedelta(hours=6), timedelta(days=20)])
LEADS = ["L0", "L1", "L2", "L3", "L4"]


@st.composite
def deals(draw: st.DrawFn) -> dict[str, Any]:
    opened = draw(times)
    outcome = draw(st.sampled_from(["won", "won", "lost", None]))
    closed = opened + draw(st.sampled_from([timedelta(0), timedelta(days=7), timedelta(days=30)])) if outcome else None
    known = (closed or opened) + draw(later)
    return {
        "lead_id": draw(st.sampled_from([*LEADS, None])), "account_id": draw(st.sampled_from(["A", None])),
        "opened_at": opened, "closed_at": closed, "known_at": known, "outcome": outcome,
        "amount": draw(st.sampled_from([None, 10.0, 500.0])),
    }  # fmt: skip


RULES = {
    "as it is": {},
    "gap": {"gap": ('gap = "0d"', 'gap = "7d"')},
    "amounts": {"amount": ("minimum_amount = 0", "minimum_amount = 100")},
    "of the account": {"credit": ('credit = "lead"', 'credit = "account"')},
    "with open deals": {"open": ('open_deals = "leave_out"', 'open_deals = "keep"')},
    "monthly": {"every": ('every = "week"', 'every = "month"')},
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES.keys())
@settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
@given(data=st.data())
def test_every_row_and_status_is_as_defined(rules, data: st.DataObject, write):
    playbook = agreed(
        short=('horizon = "13w"', 'horizon = "30d"'), active=('active_within = "13w"', 'active_within = "20d"'), **rules
    )
    merged = data.draw(times)
    leads = [
        {"lead_id": lead, "created_at": START + timedelta(days=data.draw(st.integers(0, 90))),
         "account_id": "A" if lead in ("L0", "L1", "L2") else None,
         **({"merged_into": "L3", "merged_at": merged} if lead == "L4" else {})}
        for lead in LEADS
    ]  # fmt: skip
    touches = data.draw(st.lists(st.builds(
        lambda lead, at, delay, kind, machine: {"lead_id": lead, "occurred_at": at, "known_at": at + delay,
                                                "kind": kind, "machine": machine},
        st.sampled_from(LEADS), times, later, st.sampled_from(["webinar", "email_open", "sales_call"]),
        st.sampled_from([False, False, True]),
    ), max_size=30))  # fmt: skip
    rows = [{"deal_id": f"D{i}", **deal} for i, deal in enumerate(data.draw(st.lists(deals(), max_size=6)))]
    tables = write(until=END, leads=leads, touches=touches, deals=[r for r in rows if r["lead_id"] or r["account_id"]])
    for row in leads:
        row.setdefault("known_at", row["created_at"])
    lag = _lag(rows)
    wanted = {
        (lead["lead_id"], as_of): status
        for as_of in as_of_dates(START, END, playbook.snapshots.every)
        for lead in leads
        if (status := _status(playbook, lead, as_of, leads, touches, rows, lag)) is not None
    }
    counted: dict[str, int] = {}
    for status in wanted.values():
        counted[status] = counted.get(status, 0) + 1
    mature = {key: status == "won" for key, status in wanted.items() if status in ("won", "not_won")}
    if not mature:
        with pytest.raises(DataError, match="no row to learn from"):
            build_training_set(tables, playbook, catalog=one(playbook), first=START)
        return
    made = build_training_set(tables, playbook, catalog=one(playbook), first=START)
    frame = made.frame
    assert (
        dict(zip(zip(frame["lead_id"], frame["as_of"].dt.to_pydatetime(), strict=True), frame["won"], strict=True))
        == mature
    )
    totals = pd.DataFrame(made.manifest["counts"]).drop(columns="as_of").sum()
    assert {k: v for k, v in totals.items() if v} == counted
    weights = frame.groupby("lead_id")["weight"].sum()
    assert (abs(weights - 1) < 1e-9).all()


def _lag(rows: list[dict[str, Any]]) -> timedelta:
    lags = sorted(r["known_at"] - r["closed_at"] for r in rows if r["closed_at"] and (r["lead_id"] or r["account_id"]))
    return lags[min(len(lags) - 1, int(0.99 * len(lags)))] if lags else timedelta(0)


def _status(playbook, lead, as_of, leads, touches, rows, lag) -> str | None:
    """The definition, word for word."""
    outcome = playbook.outcome
    if not (lead["created_at"] < as_of and lead.get("merged_at", NEVER) >= as_of):
        return None
    if not any(
        t["lead_id"] == lead["lead_id"] and t["occurred_at"] < as_of and t["known_at"] < as_of and not t["machine"]
        and playbook.kinds[t["kind"]].engagement and t["occurred_at"] >= as_of - playbook.snapshots.active_within
        for t in touches
    ):  # fmt: skip
        return None
    mine = [(d, link) for d in rows if (link := _link(playbook, lead, d, leads)) is not None]
    won = [
        d for d, _ in mine
        if d["outcome"] == "won" and (not outcome.minimum_amount or (d["amount"] or 0) >= outcome.minimum_amount)
    ]  # fmt: skip
    begins = as_of + outcome.gap
    ends = begins + outcome.horizon
    if any(d["closed_at"] and d["closed_at"] < as_of for d, _ in mine) or any(d["closed_at"] < begins for d in won):
        return "already_closed"
    known_open = any(
        d["opened_at"] < as_of and link < as_of
        and not (d["closed_at"] and d["closed_at"] < as_of and d["known_at"] < as_of)
        for d, link in mine
    )  # fmt: skip
    if known_open and playbook.snapshots.open_deals == "leave_out":
        return "open_deal"
    if ends > END - lag:
        return "immature"
    return "won" if any(begins <= d["closed_at"] < ends for d in won) else "not_won"


def _link(playbook, lead, deal, leads) -> datetime | None:
    """Since when a deal is known to be a lead's, if it is."""
    by_id = {row["lead_id"]: row for row in leads}
    if playbook.outcome.credit == "account":
        account = deal["account_id"] or (by_id[deal["lead_id"]]["account_id"] if deal["lead_id"] else None)
        same = account is not None and lead["account_id"] == account
        return START - timedelta(days=1) if same or (account is None and deal["lead_id"] == lead["lead_id"]) else None
    if deal["lead_id"] == lead["lead_id"]:
        return START - timedelta(days=1)
    pair = {deal["lead_id"], lead["lead_id"]}
    return by_id["L4"]["merged_at"] if pair == {"L3", "L4"} else None


def test_scoring_uses_only_what_was_known(write):
    """A deal that was won before as_of but is known only later: at as_of its lead was to be scored."""
    playbook = agreed(short=('horizon = "13w"', 'horizon = "30d"'))
    as_of = datetime(2024, 6, 3, tzinfo=UTC)
    lead = {"lead_id": "L0", "created_at": START}
    touch = {"lead_id": "L0", "occurred_at": as_of - timedelta(days=3), "kind": "webinar"}
    deal = {"deal_id": "D", "lead_id": "L0", "closed_at": as_of - timedelta(days=1), "outcome": "won"}
    unknown = write(until=END, leads=[lead], touches=[touch], deals=[deal | {"known_at": as_of}])
    known = write(until=END, leads=[lead], touches=[touch], deals=[deal])
    assert len(build_scoring_set(unknown, playbook, as_of, catalog=one(playbook))) == 1
    with pytest.raises(DataError, match="no lead to score"):
        build_scoring_set(known, playbook, as_of, catalog=one(playbook))


def test_a_win_brings_its_deal_date_and_amount(write):
    playbook = agreed()
    lead = {"lead_id": "L0", "created_at": START}
    touch = {"lead_id": "L0", "occurred_at": START + timedelta(days=1), "kind": "webinar"}
    won = {"deal_id": "D", "lead_id": "L0", "closed_at": START + timedelta(days=40), "outcome": "won", "amount": 70.0}
    tables: Tables = write(until=END, leads=[lead], touches=[touch], deals=[won])
    frame = build_training_set(tables, playbook, catalog=one(playbook)).frame
    row = frame[frame["won"]].iloc[0]
    assert (row["deal_id"], row["won_at"], row["amount"]) == ("D", won["closed_at"], 70.0)
    assert frame["as_of"].max() < won["closed_at"]
