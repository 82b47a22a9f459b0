"""Every feature's amount, against plain loops on histories made to be awkward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import touchline.features.catalog as declarations
from touchline.features import Catalog
from touchline.features.catalog import Account, Feature, TouchFeature
from touchline.playbook import Playbook

AS_OF = [datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 3, 31, 1, 30, tzinfo=UTC)]
FIRST = datetime(2023, 10, 1, tzinfo=UTC)
EDGES = sorted(
    as_of - timedelta(days=days) + timedelta(microseconds=step)
    for as_of in AS_OF
    for days in (0, 1, 7, 30, 91)
    for step in (-1, 0, 1)
)
LEADS = ["L0", "L1", "L2", "L3", "L4"]
ACCOUNTS = ["A", "A", "A", None, None]
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a history takes minutes

moments = st.one_of(
    st.sampled_from(EDGES),
    st.integers(0, 190).map(lambda day: FIRST + timedelta(days=day)),  # often several at once
    st.integers(0, 190 * 86_400).map(lambda s: FIRST + timedelta(seconds=s)),
)
delays = st.sampled_from([timedelta(0)] * 4 + [timedelta(microseconds=1), timedelta(days=1), timedelta(days=40)])


def histories(playbook: Playbook) -> st.SearchStrategy[list[dict[str, Any]]]:
    one_touch = st.fixed_dictionaries(
        {
            "lead_id": st.sampled_from(LEADS[:-1]),  # the last lead has no touch
            "occurred_at": moments,
            "delay": delays,
            "kind": st.sampled_from([*playbook.kinds, "email_open", "email_click", "web_visit"]),
            "channel": st.sampled_from([None, *playbook.channels, "unheard"]),
            "topic": st.sampled_from([None, *playbook.topics]),
            "campaign": st.sampled_from([None, "c1", "c2", "é"]),
            "asset": st.sampled_from([None, "a1", "a2"]),
            "value": st.one_of(st.none(), st.floats(-1e4, 1e4).map(lambda v: round(v, 6))),
            "machine": st.sampled_from([False, False, False, True]),
            "direction": st.sampled_from(["inbound", "outbound", "sales"]),
            "merged_from": st.sampled_from([None, None, None, "L9"]),
        }
    )
    return st.lists(one_touch, max_size=60)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(data=st.data())
def test_every_feature_is_laid_as_plain_loops_say(
    data: st.DataObject, playbook: Playbook, everything: Catalog, write, each, oracle: ModuleType
) -> None:
    leads = [
        {"lead_id": lead, "created_at": FIRST, "account_id": account, "known_at": data.draw(moments)}
        for lead, account in zip(LEADS, ACCOUNTS, strict=True)
    ]
    drawn = data.draw(histories(playbook))
    touches = [
        {**{k: v for k, v in t.items() if k != "delay"}, "touch_id": f"T{i}", "known_at": t["occurred_at"] + t["delay"]}
        for i, t in enumerate(drawn)
    ]
    tables = write(AS_OF[-1], leads=leads, touches=touches)
    rows = pd.DataFrame([(lead, as_of) for lead in LEADS for as_of in AS_OF], columns=["lead_id", "as_of"])
    frame, laid = each(tables, everything, rows)
    found = {(r, f, t): a for r, f, t, a in zip(frame["row"], frame["feature"], frame["touch_id"], frame["amount"],
             strict=True)}  # fmt: skip
    assert len(found) == len(frame), "a touch is named once in a group"
    expected = {}
    for r, (lead, as_of) in enumerate(rows.itertuples(index=False)):
        for f, feature in enumerate(everything):
            parts = oracle.parts(feature, lead, as_of, leads, touches, everything)
            assert laid.untraced[r, f] == (0 if parts else 1), feature.name
            expected |= {(r, feature.name, touch): part for touch, part in parts.items()}
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[k] for k in expected], list(expected.values()), rtol=1e-9)


def test_the_oracle_is_asked_about_every_declaration(everything: Catalog) -> None:
    of_touches = {
        value for value in vars(declarations).values() if isinstance(value, type) and issubclass(value, TouchFeature)
    } - {TouchFeature}
    assert {type(f) for f in everything if isinstance(f, TouchFeature)} == of_touches
    assert {type(f.inner) for f in everything if isinstance(f, Account)} == of_touches
    assert {type(f) for f in everything if not isinstance(f, TouchFeature | Account)}  # and what has no touch


def test_a_declaration_without_a_rule_is_refused(playbook: Playbook) -> None:
    from touchline.features.trace.rules import rule_of

    class Another(TouchFeature):
        def default_name(self) -> str:
            return "another"

    assert issubclass(Another, Feature)
    with pytest.raises(TypeError, match="Another has no rule"):
        rule_of(Another())
