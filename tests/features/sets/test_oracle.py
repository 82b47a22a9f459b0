"""Every feature of the default catalogue, and every declaration, against plain SQL on histories made to be awkward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from touchline.features import Catalog, LocalEngine, build_scoring_set, build_training_set
from touchline.features.catalog import (
    Account,
    Burst,
    Calendar,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    First,
    Gap,
    Last,
    New,
    Share,
    Sum,
    Trend,
)
from touchline.playbook import Playbook

AS_OF = [
    datetime(2024, 2, 29, tzinfo=UTC),  # a leap day
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(2024, 3, 31, 1, 30, tzinfo=UTC),  # when clocks in Europe go forward
    datetime(2024, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2025, 1, 1, tzinfo=UTC),
]
EDGES = sorted(
    {
        as_of - timedelta(days=days) + timedelta(microseconds=step)
        for as_of in AS_OF
        for days in (0, 1, 7, 30, 91, 364)
        for step in (-1, 0, 1)
    }
)
FIRST = datetime(2023, 1, 1, tzinfo=UTC)
moments = st.one_of(
    st.sampled_from(EDGES),
    st.integers(0, 800 * 86_400).map(lambda s: FIRST + timedelta(seconds=s)),
)
delays = st.sampled_from([timedelta(0)] * 4 + [timedelta(microseconds=1), timedelta(days=1), timedelta(days=40)])
TINY = float(np.finfo(np.float32).tiny)  # what fades below it is nothing
LEADS = [f"L{i}" for i in range(7)]
ACCOUNTS = [None, "A", "A", "A", "B", "B", None]


def touches(playbook: Playbook) -> st.SearchStrategy[dict[str, Any]]:
    def made(lead, at, delay, kind, channel, topic, campaign, asset, value, machine, direction, merged):
        return {
            "lead_id": lead, "occurred_at": at, "known_at": at + delay, "kind": kind, "channel": channel,
            "topic": topic, "campaign": campaign, "asset": asset, "value": value, "machine": machine,
            "direction": direction, "merged_from": merged,
        }  # fmt: skip

    return st.builds(
        made,
        st.sampled_from(LEADS[:-1]),  # the last lead has no touch
        moments,
        delays,
        st.sampled_from(list(playbook.kinds)),
        st.sampled_from([None, *playbook.channels, "unheard"]),
        st.sampled_from([None, *playbook.topics]),
        st.sampled_from([None, "c1", "c2", "é"]),
        st.sampled_from([None, "a1", "a2", "a3"]),
        st.one_of(st.none(), st.floats(-1e4, 1e4).map(lambda v: round(v, 6))),
        st.sampled_from([False, False, False, True]),
        st.sampled_from(["inbound", "outbound", "sales"]),
        st.sampled_from([None, None, None, "L0"]),
    )


def stages(playbook: Playbook) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda lead, stage, at, delay: {"lead_id": lead, "stage": stage, "entered_at": at, "known_at": at + delay},
        st.sampled_from(LEADS), st.sampled_from([s.name for s in playbook.stages]), moments, delays,
    )  # fmt: skip


VALUES = {"seats": ["1", "2.5", None], "trial": ["true", "false", None], "plan": ["gold", "tin", None],
          "renewal": ["2024-02-29 12:00:00+00", "2025-06-01T00:00:00Z", None]}  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(VALUES)))
    of_account = field in ("plan", "renewal")
    whose = (
        {"account_id": draw(st.sampled_from(["A", "B"]))} if of_account else {"lead_id": draw(st.sampled_from(LEADS))}
    )
    return {"field": field, "value": draw(st.sampled_from(VALUES[field])), "known_at": draw(moments), **whose}


def everything(playbook: Playbook) -> Catalog:
    """The default catalogue, and declarations that it does not use."""
    more = [
        Sum(30), Sum(None, kind="webinar"), Sum(7, machine=None), Count(None), Count(1, machine=None),
        Count(30, direction=("sales", "outbound")), Count(91, channel="email", topic=("pricing", "support")),
        Count(30, engagement=False), DaysSince(machine=True), DaysSinceFirst(topic="pricing"), Gap(),
        Decayed(half_life=0.5), Decayed(half_life=3.25, kind=("webinar", "event")), Distinct(None, of="asset"),
        Distinct(30, of="kind", machine=None), New(91, of="campaign"), New(7, of="kind"), First(of="campaign"),
        Last(of="asset", of_family="web"), First(of="topic"), Trend(1, 30, kind="web_visit"), Burst(7, machine=None),
        Share(None, kind="email_open"), Account(Sum(30)), Account(First(of="channel")), Account(Last(of="campaign")),
        Account(Gap(engagement=True)), Account(Burst(30)), Account(New(30, of="asset")),
        Account(Distinct(None, of="person")), Calendar("day_of_week"), Calendar("month"),
    ]  # fmt: skip
    return Catalog.default(playbook).add(*more)


def compare(ours: pd.DataFrame, theirs: pd.DataFrame, names: list[str]) -> None:
    for name in names:
        a, b = ours[name], theirs[name]
        if a.dtype == "category" or b.dtype == object or pd.api.types.is_string_dtype(b):
            assert (
                a.astype(object).where(a.notna(), None).tolist() == b.astype(object).where(b.notna(), None).tolist()
            ), name
        else:
            np.testing.assert_allclose(a.to_numpy(float), b.to_numpy(float), rtol=1e-6, atol=TINY, err_msg=name)


# A failing history is shown as it is found: shrinking one of a hundred touches takes minutes.
QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
@given(data=st.data())
def test_every_feature_is_what_plain_sql_says(
    data: st.DataObject, playbook: Playbook, write, oracle: ModuleType
) -> None:
    leads = [
        {"lead_id": lead, "created_at": FIRST, "account_id": account,
         "known_at": data.draw(st.one_of(delays.map(FIRST.__add__), moments)),
         "language": data.draw(st.sampled_from(["en", "fr", None])),
         "role": data.draw(st.sampled_from(["buyer", None]))}
        for lead, account in zip(LEADS, ACCOUNTS, strict=True)
    ]  # fmt: skip
    accounts = [
        {"account_id": "A", "created_at": FIRST, "known_at": data.draw(moments), "industry": "steel", "size": 10.0},
        {"account_id": "B", "created_at": FIRST, "industry": "food", "region": "north"},
    ]
    key = lambda row: tuple(row.get(n) for n in ("lead_id", "account_id", "field", "known_at"))  # noqa: E731
    tables = write(
        leads=leads,
        accounts=accounts,
        touches=data.draw(st.lists(touches(playbook), max_size=90)),
        stages=data.draw(st.lists(stages(playbook), max_size=15)),
        changes=data.draw(st.lists(changes(), max_size=15, unique_by=key)),
    )
    catalog = everything(playbook)
    # Many rows of a lead in one set, so that what one row leaves behind for the next is seen.
    dates = data.draw(st.lists(st.sampled_from(AS_OF), min_size=1, max_size=3, unique=True))
    rows = pd.DataFrame([(lead, as_of) for lead in LEADS for as_of in dates], columns=["lead_id", "as_of"])
    engine = LocalEngine(partitions=data.draw(st.sampled_from([1, 3])), threads=1)
    ours = build_training_set(tables, playbook, rows=rows, catalog=catalog, engine=engine).frame
    assert len(ours) == len(rows)
    compare(ours, oracle.by_sql(tables, catalog, ours[["lead_id", "as_of"]]), catalog.names)


def test_the_oracle_covers_every_declaration(playbook: Playbook) -> None:
    import touchline.features.catalog as declarations
    from touchline.features.catalog import Feature

    declared = {
        value for value in vars(declarations).values() if isinstance(value, type) and issubclass(value, Feature)
    } - {Feature, declarations.TouchFeature}
    inner = [f.inner if isinstance(f, Account) else f for f in everything(playbook)]
    assert declared == {type(f) for f in inner} | {Account}


def test_a_wrong_number_would_be_seen(playbook: Playbook, write, oracle: ModuleType) -> None:
    lead = {"lead_id": "L0", "created_at": FIRST}
    touch = {"lead_id": "L0", "occurred_at": AS_OF[0] - timedelta(days=7), "kind": "webinar"}
    tables = write(leads=[lead], touches=[touch])
    catalog = Catalog(playbook, [Count(7), DaysSince()])
    ours = build_scoring_set(tables, playbook, AS_OF[0], catalog=catalog, leads=["L0"]).frame
    compare(ours, oracle.by_sql(tables, catalog, ours[["lead_id", "as_of"]]), catalog.names)
    with pytest.raises(AssertionError):
        compare(
            ours.assign(count_any_7d=0.0), oracle.by_sql(tables, catalog, ours[["lead_id", "as_of"]]), catalog.names
        )
