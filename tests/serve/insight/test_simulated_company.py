"""On a simulated company of a thousand leads everything that sales reads keeps its promises."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from touchline.features import Tables
from touchline.serve.insight import (
    MOMENTS,
    already_told,
    contact_pressure,
    credit_table,
    find_moments,
    next_to_share,
)

AS_OF = datetime(2025, 9, 1, tzinfo=UTC)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def leads(simulated: Tables) -> list[str]:
    return simulated.arrow("leads")["lead_id"].to_pylist()


@pytest.fixture(scope="module")
def known(simulated: Tables) -> dict[str, Row]:
    """Touches that happened and were known before, by id and lead."""
    touches = [t for t in simulated.arrow("touches").to_pylist() if max(t["occurred_at"], t["known_at"]) < AS_OF]
    return {f"{t['lead_id']}/{t['touch_id']}": t for t in touches if not t["machine"]}


@pytest.fixture(scope="module")
def credit(simulated: Tables):
    """Every touch of a won lead known by then, with an amount that follows from its id."""
    files = {name: simulated.file(name) for name in ("touches", "deals")}
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        return con.sql(
            "SELECT lead_id, touch_id, campaign, asset, channel, kind, topic, "
            "(hash(touch_id) % 100)::DOUBLE / 50 - 0.8 AS amount "
            f"FROM '{files['touches']}' SEMI JOIN (FROM '{files['deals']}' WHERE outcome = 'won' "
            f"AND known_at < '{AS_OF.isoformat()}') USING (lead_id) WHERE occurred_at < '{AS_OF.isoformat()}'"
        ).to_arrow_table()


def test_moments_stand_on_touches_that_were_known(simulated, playbook, leads, known, credit):
    for given in (None, credit):
        found = find_moments(simulated, playbook, AS_OF, leads, credit=given, limit=4).to_pylist()
        assert {m["moment"] for m in found} == set(MOMENTS)
        assert max(Counter(m["lead_id"] for m in found).values()) <= 4
        assert len({(m["lead_id"], m["moment"], m["day"]) for m in found}) == len(found)
        assert found == sorted(found, key=lambda m: (m["lead_id"], -m["occurred_at"].timestamp(), -m["strength"]))
        for m in found:
            evidence = [known[f"{m['person']}/{touch}"] for touch in m["touch_ids"]] if m["touches"] else []
            assert len(evidence) == m["touches"] >= 1
            assert all(playbook.kinds[t["kind"]].engagement for t in evidence)
            assert AS_OF - timedelta(days=30) <= m["occurred_at"] < AS_OF
            assert m["occurred_at"] == max(t["occurred_at"] for t in evidence)
            assert (m["person"] != m["lead_id"]) == (m["moment"] == "new_person")
            assert 0 <= m["strength"] - MOMENTS.index(m["moment"]) - 1 <= 1


def test_everything_that_was_told_is_told_once(simulated, playbook, leads, known):
    found = already_told(simulated, playbook, AS_OF, leads).to_pylist()
    keys = [(row["lead_id"], row["about"], row["name"]) for row in found]
    assert len(set(keys)) == len(keys)
    own = {(t["lead_id"], about, t[about]) for t in known.values() for about in ("asset", "topic") if t[about]}
    assert {key for key, row in zip(keys, found, strict=True) if row["response"]} == own
    assert all(row["response"] or row["colleagues"] for row in found)


def test_every_known_lead_has_its_pressure(simulated, playbook, leads, known):
    found = contact_pressure(simulated, playbook, AS_OF, leads)
    recent = Counter(
        t["lead_id"]
        for t in known.values()
        if t["direction"] != "inbound" and t["occurred_at"] >= AS_OF - timedelta(days=30)
    )
    counted = dict(zip(found["lead_id"].to_pylist(), found["last_30_days"].to_pylist(), strict=True))
    there = {row["lead_id"] for row in simulated.arrow("leads").to_pylist() if row["known_at"] < AS_OF}
    assert set(counted) == there
    assert counted == {lead: recent[lead] for lead in there}
    assert recent


def test_what_to_share_is_new_to_the_account_and_in_the_leads_language(simulated, playbook, leads, known, credit):
    found = next_to_share(simulated, playbook, AS_OF, leads, credit=credit, segment="industry").to_pylist()
    described = {row["lead_id"]: row for row in simulated.arrow("leads").to_pylist()}
    assets = {row["asset"]: row for row in simulated.arrow("assets").to_pylist()}
    told = {(t["lead_id"], t["asset"]) for t in known.values()}
    told |= {(described[lead]["account_id"], name) for lead, name in told if described[lead]["account_id"]}
    assert {row["reason"] for row in found} == {"topic_interest", "worked_for"}
    assert {row["similar"] for row in found} == {True, False}
    for row in found:
        lead = described[row["lead_id"]]
        assert assets[row["asset"]]["shareable"]
        assert row["language"] == lead["language"]
        assert not {(row["lead_id"], row["asset"]), (lead["account_id"], row["asset"])} & told
        assert row["count"] > 0
        assert row["score"] == pytest.approx((row["interest"] + row["worked"]) / 2)
    for lead in {row["lead_id"] for row in found}:
        mine = [row for row in found if row["lead_id"] == lead]
        assert [row["rank"] for row in mine] == list(range(1, len(mine) + 1))
        assert len({row["asset"] for row in mine}) == len(mine) <= 3


def test_credit_is_kept_whatever_it_is_added_up_by(credit):
    for by in ("campaign", "asset", "channel", "kind", "topic"):
        table = credit_table(credit, by)
        assert sum(table["log_odds"].to_pylist()) == pytest.approx(sum(credit["amount"].to_pylist()))
        assert sum(table["share_of_touches"].to_pylist()) == pytest.approx(1)
