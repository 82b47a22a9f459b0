"""The whole check of touches against an oracle in plain Python, on random small histories full of trouble."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

START = datetime(2024, 2, 1, tzinfo=UTC)
CREATED = {"L1": datetime(2024, 1, 1, tzinfo=UTC), "L2": START + timedelta(seconds=4)}
KINDS = {"send": "send", "Send Email": "send", "open": "open", "Open Email": "open", "click": "click"}
AFTER_SEND, BURST, WITHIN = timedelta(seconds=5), 3, timedelta(seconds=1)

touches = st.lists(
    st.fixed_dictionaries(
        {
            "touch_id": st.sampled_from([f"T{n}" for n in range(12)]),
            "lead_id": st.sampled_from(["L1", "L1", "L2", "L9"]),
            "second": st.integers(0, 14),
            "half": st.booleans(),
            "known_after": st.sampled_from([0, 0, 0, 60, -1]),
            "kind": st.sampled_from([*KINDS, "click", "fax"]),
            "asset": st.sampled_from(["", "a", "b"]),
        }
    ),
    max_size=14,
)


def expected(rows):
    """What should be kept (touch_id -> row) and set aside (sorted reasons), row by row and pair by pair."""
    reasons, good = [], []
    for row in rows:
        at = START + timedelta(seconds=row["second"], milliseconds=500 * row["half"])
        known = at + timedelta(seconds=row["known_after"])
        kind = KINDS.get(row["kind"])
        if known < at:
            reasons.append("known_before_it_happened")
        elif kind is None:
            reasons.append("unknown_kind")
        elif row["lead_id"] not in CREATED:
            reasons.append("unknown_lead")
        elif at < CREATED[row["lead_id"]]:
            reasons.append("before_lead")
        else:
            good.append((row["touch_id"], row["lead_id"], at, kind, row["asset"], known))
    kept = []
    # The one known first stays; then the order of the columns decides, with nothing coming last.
    for touch in sorted(
        good, key=lambda t: (t[5], t[0], t[1], t[2], ["click", "open", "send"].index(t[3]), t[4] == "", t[4])
    ):
        same_id = [k for k in kept if k[0] == touch[0]]
        if same_id:
            reasons.append("duplicate_delivery" if same_id[0][:5] == touch[:5] else "conflicting_duplicate")
        else:
            kept.append(touch)
    stories, once = set(), []
    for touch in sorted(kept, key=lambda t: (t[5], t[0])):
        if touch[1:5] in stories:
            reasons.append("duplicate_content")
        else:
            stories.add(touch[1:5])
            once.append(touch)
    return {t[0]: (t[1], t[2], t[3], t[4] or None, t[5], is_machine(t, once)) for t in once}, sorted(reasons)


def is_machine(touch, all_touches):
    _, lead, at, kind, _, _ = touch
    mine = [t for t in all_touches if t[1] == lead]
    after_send = kind in ("open", "click") and any(
        t[3] == "send" and timedelta(0) <= at - t[2] <= AFTER_SEND for t in mine
    )
    starts = [t[2] for t in mine if t[3] == "click" and t[2] <= at <= t[2] + WITHIN]
    clicks = [t[2] for t in mine if t[3] == "click"]
    burst = kind == "click" and any(sum(s <= c <= s + WITHIN for c in clicks) >= BURST for s in starts)
    return after_send or burst


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=touches)
def test_kept_set_aside_and_machine_touches_are_what_plain_python_says(company, rows):
    written = []
    for row in rows:
        at = START + timedelta(seconds=row["second"], milliseconds=500 * row["half"])
        known = at + timedelta(seconds=row["known_after"])
        written.append(
            {
                "touch_id": row["touch_id"],
                "lead_id": row["lead_id"],
                "occurred_at": at.isoformat(),
                "known_at": known.isoformat(),
                "kind": row["kind"],
                "asset": row["asset"],
            }
        )
    header = {"touch_id": "", "lead_id": "", "occurred_at": "", "known_at": "", "kind": "", "asset": ""}
    company.write("touches", written or [header])
    company.write("leads", [{"lead_id": n, "created_at": t.isoformat(), "industry": ""} for n, t in CREATED.items()])
    company.write("deals", [{"deal_id": "D1", "lead_id": "L1"}])
    result = company.check()
    found = {
        r["touch_id"]: (r["lead_id"], r["occurred_at"], r["kind"], r["asset"], r["known_at"], r["machine"])
        for r in company.kept()
    }
    kept, reasons = expected(rows)
    assert found == kept
    counted = sorted(code for r in result.reasons for code in [r.code] * r.rows)
    assert counted == (reasons if written else ["missing_value"])
    account = next(s for s in result.sources if s.path == "touches.csv")
    assert account.adds_up
    assert account.kept["touches"] + account.quarantined == len(written or [header])
