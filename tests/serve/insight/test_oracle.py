"""Moments, what was told and contact pressure are what plain loops over the touches find, whatever the log."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.playbook import Playbook
from touchline.serve.insight import MOMENTS, RESPONSES, already_told, contact_pressure, find_moments

Row = dict[str, Any]
AS_OF = datetime(2025, 6, 11, tzinfo=UTC)
MERGED = AS_OF - timedelta(days=20)
LATER = AS_OF + timedelta(days=20)
LEADS: list[Row] = [
    {"lead_id": "L1", "account_id": "A"},
    {"lead_id": "L2", "account_id": "A"},
    {"lead_id": "L3", "account_id": "A", "merged_into": "L2", "merged_at": MERGED},
    {"lead_id": "L4", "account_id": "A", "merged_into": "L1", "merged_at": LATER},
    {"lead_id": "L5", "account_id": "B"},
    {"lead_id": "L6", "merged_into": "L5", "merged_at": MERGED},
    {"lead_id": "L7"},
    {"lead_id": "L8", "account_id": "B"},
]
KINDS = ("email_sent", "email_open", "email_click", "web_visit", "webinar", "demo_request", "sales_call")
DAY = timedelta(days=1)


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """Touches of up to 200 days before and 5 days after, some known late, some of machines, with merges' copies."""
    drawn = st.tuples(
        st.integers(1, 8), st.integers(-5 * 24, 200 * 24) | st.integers(0, 8 * 24), st.sampled_from(KINDS),
        st.sampled_from([0, 0, 0, 48, 900]), st.integers(0, 9), st.sampled_from([None, "a", "b"]),
        st.sampled_from([None, "security", "pricing"]),
    )  # fmt: skip
    touches: list[Row] = []
    for i, (lead, hours, kind, late, machine, asset, topic) in enumerate(draw(st.lists(drawn, max_size=45))):
        at = AS_OF - timedelta(hours=hours)
        touches.append(
            {"touch_id": f"T{i:02}", "lead_id": f"L{lead}", "occurred_at": at, "known_at": at + timedelta(hours=late),
             "kind": kind, "machine": machine == 0, "asset": asset, "topic": topic}
        )  # fmt: skip
    merges = {lead["lead_id"]: lead for lead in LEADS if "merged_into" in lead}
    copies = [
        {**t, "lead_id": m["merged_into"], "known_at": max(t["known_at"], m["merged_at"]), "merged_from": t["lead_id"]}
        for t in touches
        if (m := merges.get(t["lead_id"]))
    ]
    return touches + copies


def seen(log: list[Row]) -> list[Row]:
    found = [t for t in log if t["occurred_at"] < AS_OF and t["known_at"] < AS_OF and not t["machine"]]
    return sorted(found, key=lambda t: (t["occurred_at"], t["touch_id"]))


def company(lead: str) -> str:
    return next(row.get("account_id") or lead for row in LEADS if row["lead_id"] == lead)


def person(lead: str) -> str:
    return {"L3": "L2", "L6": "L5"}.get(lead, lead)


def moments_by_loops(log: list[Row], playbook: Playbook) -> set[tuple[Any, ...]]:
    interest = [t for t in seen(log) if playbook.kinds[t["kind"]].engagement]
    since = AS_OF - 30 * DAY
    counts = Counter(t["kind"] for t in interest if "merged_from" not in t)
    total, so_far, high = sum(counts.values()), 0, []
    for n, kind in sorted((n, kind) for kind, n in counts.items()):
        so_far += n
        if so_far <= 0.1 * total and len(high) < 3:
            high.append(kind)
    weight = {kind: 1 - n / total for kind, n in counts.items()}
    found: dict[tuple[str, str, Any], list[Row]] = {}
    surges: set[tuple[Any, ...]] = set()
    for lead in (row["lead_id"] for row in LEADS):
        mine = [t for t in interest if t["lead_id"] == lead]
        for i, t in enumerate(mine):
            if t["occurred_at"] < since:
                continue
            day = t["occurred_at"].date()
            if t["kind"] in high:
                found.setdefault((lead, "high_intent", day), []).append(t)
            if t["kind"] not in [u["kind"] for u in mine[:i]]:
                found.setdefault((lead, "first_time", day), []).append(t)
            if i and t["occurred_at"] - mine[i - 1]["occurred_at"] >= 60 * DAY:
                found.setdefault((lead, "return", day), []).append(t)
        firsts: dict[str, Row] = {}
        for t in interest:
            if "merged_from" not in t and company(t["lead_id"]) == company(lead):
                firsts.setdefault(person(t["lead_id"]), t)
        for who, t in firsts.items():
            if who != person(lead) and t["occurred_at"] >= since:
                found.setdefault((lead, "new_person", t["occurred_at"].date()), []).append(t)
        surges |= surges_by_loops(lead, mine, since)
    daily: set[tuple[Any, ...]] = set()
    for (lead, moment, day), touches in found.items():
        kind = min({t["kind"] for t in touches}, key=lambda k: (-weight[k], k))
        ids = tuple(t["touch_id"] for t in touches if t["kind"] == kind)
        daily.add((lead, moment, day, kind, ids, round(MOMENTS.index(moment) + 1 + weight[kind], 9)))
    return daily | surges


def surges_by_loops(lead: str, mine: list[Row], since: datetime) -> set[tuple[Any, ...]]:
    def monday(t: Row) -> Any:
        return t["occurred_at"].date() - timedelta(days=t["occurred_at"].weekday())

    found: set[tuple[Any, ...]] = set()
    for week in {monday(t) for t in mine}:
        inside = [t for t in mine if monday(t) == week]
        weeks = min(12, (week - min(map(monday, mine))).days // 7)
        if not weeks or len(inside) < 3 or inside[-1]["occurred_at"] < since:
            continue
        usual = sum(week - 84 * DAY <= monday(t) < week for t in mine) / weeks
        if len(inside) >= 3 * usual:
            last = inside[-1]
            ids = tuple(t["touch_id"] for t in inside)
            strength = round(MOMENTS.index("surge") + 1 + 1 - usual / len(inside), 9)
            found.add((lead, "surge", last["occurred_at"].date(), last["kind"], ids, strength))
    return found


@settings(max_examples=25, deadline=None)
@given(log=logs())
def test_moments_are_what_loops_find(log, write, playbook):
    tables = write(log, leads=LEADS)
    found = find_moments(tables, playbook, AS_OF, [lead["lead_id"] for lead in LEADS], limit=1000).to_pylist()
    told = [
        (m["lead_id"], m["moment"], m["day"], m["kind"], tuple(m["touch_ids"]), round(m["strength"], 9)) for m in found
    ]
    assert len(set(told)) == len(told)
    assert set(told) == moments_by_loops(log, playbook)


LEVEL = {"email_sent": 0, "sales_call": 0, "email_open": 1, "email_click": 2, "web_visit": 2, "demo_request": 2,
         "webinar": 3}  # fmt: skip


def told_by_loops(log: list[Row]) -> dict[tuple[str, str, str], tuple[Any, ...]]:
    found: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    items = {(about, t[about]) for t in log for about in ("asset", "topic") if t[about]}
    for lead in (row["lead_id"] for row in LEADS):
        for about, name in items:
            named = [t for t in seen(log) if t[about] == name]
            mine = [t for t in named if t["lead_id"] == lead]
            company_s = [t for t in named if "merged_from" not in t and company(t["lead_id"]) == company(lead)]
            colleagues = {person(t["lead_id"]) for t in company_s} - {person(lead)}
            if not mine and not colleagues:
                continue
            strongest = max((LEVEL[t["kind"]] for t in mine), default=None)
            found[lead, about, name] = (
                None if strongest is None else RESPONSES[strongest],
                max((t["occurred_at"] for t in mine if LEVEL[t["kind"]] == strongest), default=None),
                max((t["occurred_at"] for t in mine), default=None),
                len(mine),
                RESPONSES[max(LEVEL[t["kind"]] for t in mine + company_s)],
                max(t["occurred_at"] for t in mine + company_s),
                len(colleagues),
            )
    return found


@settings(max_examples=25, deadline=None)
@given(log=logs())
def test_what_was_told_is_what_loops_find(log, write, playbook):
    tables = write(log, leads=LEADS)
    found = already_told(tables, playbook, AS_OF, [lead["lead_id"] for lead in LEADS]).to_pylist()
    told = {(row["lead_id"], row["about"], row["name"]): tuple(row.values())[3:] for row in found}
    assert len(told) == len(found)
    assert told == told_by_loops(log)


@settings(max_examples=25, deadline=None)
@given(log=logs())
def test_pressure_is_what_loops_count(log, write, playbook):
    tables = write(log, leads=LEADS)
    for row in contact_pressure(tables, playbook, AS_OF, [lead["lead_id"] for lead in LEADS]).to_pylist():
        ours = [
            t["occurred_at"]
            for t in seen(log)
            if t["lead_id"] == row["lead_id"] and t["kind"] in ("email_sent", "sales_call")
        ]
        week, month = (sum(at >= AS_OF - d * DAY for at in ours) for d in (7, 30))
        assert (row["last_7_days"], row["last_30_days"]) == (week, month)
        assert row["last_at"] == max(ours, default=None)
        assert row["too_much"] == (week >= 3 or month >= 8)
