"""Nothing that was not known before as_of, or that a machine did, changes anything that sales reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import DataError
from touchline.serve.insight import already_told, contact_pressure, find_moments, next_to_share

AS_OF = datetime(2025, 6, 11, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
ASSETS = [
    {"asset": name, "title": name, "topic": "security", "language": "en", "shareable": True} for name in ("a", "b", "c")
]
LEADS = [{"lead_id": "L1", "account_id": "A"}, {"lead_id": "L2", "account_id": "A"}]
BEFORE = [
    {"touch_id": "early", "lead_id": "L1", "ago": 20, "kind": "web_visit", "topic": "security"},
    {"touch_id": "mail", "lead_id": "L2", "ago": 3, "kind": "email_sent", "asset": "a"},
]
ASKED: dict[str, Callable[..., pa.Table]] = {
    f.__name__: f for f in (already_told, contact_pressure, find_moments, next_to_share)
}


def touches_of_every_sort(**when: Any) -> list[dict[str, Any]]:
    return [
        {"touch_id": f"{lead}-{kind}", "lead_id": lead, "kind": kind, "asset": "b", "topic": "pricing", **when}
        for lead in ("L1", "L2")
        for kind in ("email_sent", "demo_request", "webinar")
    ]


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    "when",
    [
        {"occurred_at": AS_OF},
        {"occurred_at": AS_OF + timedelta(days=3)},
        {"occurred_at": AS_OF - timedelta(days=2), "known_at": AS_OF},
        {"occurred_at": AS_OF - timedelta(days=2), "machine": True},
    ],
    ids=["at_as_of", "later", "known_at_as_of", "machine"],
)
def test_what_was_not_known_changes_nothing(ask, when, write, playbook):
    plain = write(BEFORE, leads=LEADS, assets=ASSETS)
    more = write(BEFORE + touches_of_every_sort(**when), leads=LEADS, assets=ASSETS)
    assert ask(more, playbook, AS_OF, ["L1", "L2"]) == ask(plain, playbook, AS_OF, ["L1", "L2"])


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_what_was_known_an_instant_before_counts(ask, write, playbook):
    plain = write(BEFORE, leads=LEADS, assets=ASSETS)
    last = touches_of_every_sort(occurred_at=AS_OF - timedelta(days=2), known_at=AS_OF - INSTANT)
    more = write(BEFORE + last, leads=LEADS, assets=ASSETS)
    assert ask(more, playbook, AS_OF, ["L1", "L2"]) != ask(plain, playbook, AS_OF, ["L1", "L2"])


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_leads_come_as_a_list_an_arrow_column_or_a_pandas_one_and_count_once(ask, write, playbook):
    tables = write(BEFORE, leads=LEADS, assets=ASSETS)
    names = ["L1", "L2", "L1"]
    expected = ask(tables, playbook, AS_OF, ["L1", "L2"])
    for leads in (names, pa.array(names), pa.chunked_array([names]), pd.Series(names)):
        assert ask(tables, playbook, AS_OF, leads) == expected


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_lead_reads_the_same_alone_and_among_others(ask, write, playbook):
    tables = write(BEFORE + touches_of_every_sort(ago=4), leads=[*LEADS, {"lead_id": "L3"}], assets=ASSETS)
    together = ask(tables, playbook, AS_OF, ["L1", "L2", "L3"]).to_pylist()
    alone = [row for lead in ("L1", "L2", "L3") for row in ask(tables, playbook, AS_OF, [lead]).to_pylist()]
    assert alone == together


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_nobody_gives_no_rows(ask, write, playbook):
    assert len(ask(write(BEFORE, leads=LEADS), playbook, AS_OF, [])) == 0


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_lead_that_was_not_known_yet_has_no_rows(ask, write, playbook):
    late = [{**LEADS[0], "known_at": AS_OF}, LEADS[1]]
    tables = write(BEFORE + touches_of_every_sort(ago=4), leads=late, assets=ASSETS)
    assert set(ask(tables, playbook, AS_OF, ["L1", "L2"])["lead_id"].to_pylist()) <= {"L2"}


def test_wrong_questions_are_answered_with_what_to_do(write, playbook):
    tables = write(BEFORE, leads=LEADS)
    with pytest.raises(ValueError, match="no time zone"):
        contact_pressure(tables, playbook, datetime(2025, 6, 11), ["L1"])
    with pytest.raises(ValueError, match=r"^1 of the leads asked for are not in the tables"):
        contact_pressure(tables, playbook, AS_OF, ["L1", "somebody"])
    strange = write([{"lead_id": "L1", "ago": 1, "kind": "carrier_pigeon"}], leads=LEADS)
    with pytest.raises(DataError, match="does not know carrier_pigeon"):
        contact_pressure(strange, playbook, AS_OF, ["L1"])
