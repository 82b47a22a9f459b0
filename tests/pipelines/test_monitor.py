"""Monitoring: each figure beside plain counting on small stores and tables, and when it calls a person."""

from __future__ import annotations

import json
import math
import runpy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from typer.testing import CliRunner

from touchline.features import Catalog, Tables, build_scoring_set, build_training_set, check_tables
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer, Scale
from touchline.models.errors import ModelError
from touchline.models.explainer import Explainer
from touchline.models.registry import LoadedModel, Registry
from touchline.pipelines.cli import app
from touchline.pipelines.exits import Exit
from touchline.pipelines.monitor import Monitoring, monitor
from touchline.pipelines.monitoring.drift import family_drift, psi, score_drift
from touchline.pipelines.monitoring.page import page
from touchline.pipelines.monitoring.tracking import log_monitoring
from touchline.playbook import parse_playbook, starter_text
from touchline.serve.store import Part, Store, StoreError

ROOT = Path(__file__).parents[2]
making = SimpleNamespace(**runpy.run_path(str(ROOT / "tests" / "serve" / "store" / "making.py")))

DAY = timedelta(days=1)
MARCH = datetime(2024, 3, 4, tzinfo=UTC)
END = datetime(2024, 9, 2, tzinfo=UTC)
LEADS = [f"person-{i:03}" for i in range(60)]
CAPACITY = """
[handoff]
capacity = { people = 2, per_person_per_week = 5 }
sla = "1d"

[[stages]]
name = "ready"
role = "mql"
owner = "marketing"
words.en = "Ready"

[[stages]]
name = "accepted"
role = "sal"
owner = "sales"
words.en = "Accepted"

[[stages]]
name = "qualified"
role = "sql"
owner = "sales"
words.en = "Qualified"

[[rejection_reasons]]
name = "wrong_person"
words.en = "Wrong person"

[[rejection_reasons]]
name = "no_budget"
words.en = "No budget"

[[kpis]]
name = "accepted_share"
owner = "both"
target = 0.9
words.en = "Accepted"

[[kpis]]
name = "wins"
owner = "both"
words.en = "Wins"

[kinds.call]
family = "mail"
direction = "sales"
engagement = false
words.en = "was called"
"""


class NoModels:
    """A registry whose versions were deleted."""

    def load(self, which: object) -> LoadedModel:
        raise ModelError("it was deleted")


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def open_touch(number: int, lead: str, at: datetime, **more: str) -> dict[str, str]:
    return {"touch_id": f"t{number}", "lead_id": lead, "occurred_at": text(at), "kind": "open", **more}


@pytest.fixture
def world(company, tmp_path):
    """60 leads in 30 accounts; person-000 and so on to 005 won in April, 006 in February, 007 in August."""
    company.playbook_text = company.playbook_text.replace('\n[handoff]\nthreshold = 0.1\nsla = "1d"\n', CAPACITY)
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    company.write("accounts", [{"account_id": f"firm-{i}"} for i in range(30)])
    company.write("leads", [
        {"lead_id": lead, "created_at": text(begin), "account_id": f"firm-{i // 2}" if i < 58 else "", "industry": "x"}
        for i, lead in enumerate(LEADS)
    ])  # fmt: skip
    company.write("touches", [
        *(open_touch(i, lead, begin + 10 * DAY) for i, lead in enumerate(LEADS)), open_touch(999, LEADS[0], END),
    ])  # fmt: skip
    closed = [datetime(2024, 3, 20, tzinfo=UTC)] * 6 + [
        datetime(2024, 2, 1, tzinfo=UTC),
        datetime(2024, 8, 20, tzinfo=UTC),
    ]
    company.write("deals", [
        {"deal_id": f"d{i}", "lead_id": lead, "opened_at": text(at - DAY), "closed_at": text(at), "outcome": "won",
         "amount": "100"}
        for i, (lead, at) in enumerate(zip(LEADS, closed, strict=False))
    ])  # fmt: skip
    with Store.open(tmp_path / "scores.db") as store:
        yield SimpleNamespace(company=company, store=store, path=tmp_path / "scores.db")


def publish(store: Store, as_of: datetime, log_odds: list[float] | None = None, leads: list[str] = LEADS, **more):
    made = making.scores(leads, log_odds if log_odds is not None else list(np.linspace(-1, -4, len(leads))))
    return making.publish(store, Part(made), as_of=as_of, meta={}, **more)


def look(world: SimpleNamespace, **options) -> Monitoring:
    assert world.company.check().ok
    asked = {"now": END + DAY, "draws": 200, **options}
    return monitor(world.company.tables(), world.company.playbook, world.store, NoModels(), **asked)


def codes(result: Monitoring) -> dict[str, str]:
    return {str(finding.code): finding.severity for finding in result.findings}


# What came of the scores


def test_wins_are_counted_as_training_counts_them(world):
    publish(world.store, MARCH)
    night = look(world).nights[0]
    chances = {lead: 1 / (1 + math.exp(-z)) for lead, z in zip(LEADS, np.linspace(-1, -4, 60), strict=True)}
    usable = [lead for lead in LEADS if lead != "person-006"]  # won before it was scored
    assert night.realised.rows == len(usable)
    assert night.realised.left_out == 1
    assert night.realised.won == 6
    assert night.realised.expected == pytest.approx(sum(chances[lead] for lead in usable))
    assert night.expected == pytest.approx(sum(chances.values()))
    assert night.realised.observed_expected.value == pytest.approx(6 / night.realised.expected)
    assert night.realised.observed_expected.low < 6 / night.realised.expected < night.realised.observed_expected.high
    rows = pd.DataFrame({"lead_id": LEADS, "as_of": MARCH})
    training = build_training_set(world.company.tables(), world.company.playbook, rows=rows)
    assert (len(training), training.y.sum()) == (night.realised.rows, night.realised.won)


def test_wins_among_the_leads_that_sales_can_call(world):
    publish(world.store, MARCH)  # two people call ten a week; the six that were won are the likeliest
    assert look(world).nights[0].realised.capture.value == 1
    publish(world.store, MARCH + DAY, list(np.linspace(-4, -1, 60)))
    assert look(world).nights[0].realised.capture.value == 0


def test_before_windows_are_over_only_expected_wins_are_told_and_said_so(world):
    publish(world.store, END - 10 * DAY)
    result = look(world)
    assert result.outcomes is None
    assert result.nights[0].realised is None
    assert result.nights[0].expected > 0
    assert result.nights[0].known_on == END + 20 * DAY
    assert codes(result)["not_mature"] == "note"
    assert "2024-09-22" in next(f.message for f in result.findings if f.code == "not_mature")


def test_the_newest_batches_whose_windows_are_over_are_found_behind_many_newer_ones(world):
    for at in (MARCH, MARCH + 7 * DAY, *(END - n * DAY for n in (3, 2, 1))):
        publish(world.store, at)
    nights = look(world, batches=1).nights
    assert [night.as_of for night in nights] == [END - DAY, MARCH + 7 * DAY]
    assert [night.realised is not None for night in nights] == [False, True]


def test_batches_a_week_apart_are_judged_together_and_nightly_ones_only_once(world):
    for at in (MARCH, MARCH + DAY, MARCH + 7 * DAY, MARCH + 8 * DAY):
        publish(world.store, at)
    result = look(world)
    assert result.outcomes.realised.dates == 2
    assert result.outcomes.realised.won == 12
    assert sum(tenth["won"] for tenth in result.outcomes.deciles) == pytest.approx(12)


def test_chances_that_do_not_come_true_are_an_alarm(world):
    publish(world.store, MARCH, [2.0] * 60)
    assert codes(look(world))["observed_expected"] == "alarm"


def test_chances_of_a_version_that_was_replaced_are_a_warning(world):
    publish(world.store, MARCH, [2.0] * 60, version="2")
    publish(world.store, END, version="3")
    assert codes(look(world))["observed_expected"] == "warn"


def test_a_model_that_only_ranks_promised_no_wins(world):
    made = making.scores(LEADS, [2.0] * 60)
    making.publish(world.store, Part(made), as_of=MARCH, meta={"rung": "ranks"})
    assert "observed_expected" not in codes(look(world))


def test_no_win_among_few_expected_is_no_alarm(world):
    world.company.write("deals", [{"deal_id": "d", "lead_id": LEADS[0], "opened_at": text(MARCH)}])
    publish(world.store, MARCH, [-3.5] * 60)  # 1.8 expected
    result = look(world)
    ratio = result.outcomes.realised.observed_expected
    assert ratio.value == 0
    assert ratio.high > 0.8
    assert "observed_expected" not in codes(result)


def test_leads_that_were_deleted_from_the_tables_are_left_out_and_counted(world):
    publish(world.store, MARCH, leads=[*LEADS, "somebody-gone"])
    night = look(world).nights[0]
    assert (night.leads, night.realised.rows, night.realised.left_out) == (61, 59, 2)


def test_a_store_without_a_batch_says_what_to_do(world):
    with pytest.raises(StoreError, match="touchline score"):
        look(world)


# Drift


def plain_psi(before: list[float], now: list[float]) -> float:
    def reached(i: int) -> float:
        return min(v for v in before if 10 * sum(other <= v for other in before) >= i * len(before))

    edges = sorted({reached(i) for i in range(1, 10)})
    total = 0.0
    for low, high in zip([-math.inf, *edges], [*edges, math.inf], strict=True):
        counts = [sum(low < v <= high for v in side) for side in (before, now)]
        if not any(counts):
            continue
        p, q = (max(0.5, n) / len(side) for n, side in zip(counts, (before, now), strict=True))
        total += (q - p) * math.log(q / p)
    return total


values = st.lists(st.floats(-10, 10), min_size=1, max_size=40)


@given(values, values)
@settings(max_examples=300, deadline=None)
def test_psi_is_what_plain_counting_gives_and_never_negative(before, now):
    found = psi(np.array(before), np.array(now))
    assert found == pytest.approx(plain_psi(before, now), abs=1e-9)
    assert found >= 0
    assert psi(np.array(before), np.array(before)) == 0


def test_divergence_is_scipys_square(world):
    before, now = np.random.default_rng(0).normal(0, 1, 500), np.random.default_rng(1).normal(0.5, 1, 400)
    drift = score_drift(before, now, MARCH, new_model=False)
    both = np.concatenate([before, now])
    wanted = [0.001, 0.005, 0.01, *np.linspace(0.05, 0.95, 19), 0.99, 0.995, 0.999]
    edges = np.r_[-np.inf, np.quantile(both, wanted), np.inf]
    p, q = (np.histogram(-side, -edges[::-1])[0] for side in (before, now))  # a value at an edge belongs below it
    assert drift.jensen_shannon == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-3)


@pytest.fixture
def many():
    return [f"many-{i:04}" for i in range(400)]


def test_scores_that_move_are_a_warning_and_by_a_new_model_a_note(world, many):
    still, moved = list(np.linspace(-4, -1, 400)), list(np.linspace(-2, 1, 400))
    publish(world.store, END - 2 * DAY, still, many)
    publish(world.store, END - DAY, still, many)
    assert "score_drift" not in codes(look(world))
    publish(world.store, END, moved, many)
    result = look(world)
    assert codes(result)["score_drift"] == "warn"
    assert result.nights[0].drift.psi == pytest.approx(plain_psi(still, moved))
    assert result.nights[0].drift.since == END - DAY
    assert result.nights[1].drift.psi == 0
    publish(world.store, END + timedelta(hours=1), moved, many, version="4")
    publish(world.store, END + timedelta(hours=2), still, many, version="5")
    assert codes(look(world, batches=2))["score_drift"] == "note"


def test_a_tenth_of_few_leads_moves_by_chance_and_is_not_judged(world, many):
    publish(world.store, END - DAY, list(np.linspace(-4, -1, 400)), many)
    publish(world.store, END, list(np.linspace(-2, 1, 60)))
    result = look(world)
    assert result.nights[0].drift.psi > 0.25
    assert "score_drift" not in codes(result)


def test_the_reference_is_the_newest_batch_whose_outcomes_are_known(world):
    publish(world.store, MARCH - DAY)
    publish(world.store, MARCH)
    publish(world.store, END - DAY)
    assert look(world).reference == MARCH


def test_old_scores_call_a_person(world):
    publish(world.store, END - 9 * DAY)
    assert codes(look(world))["stale"] == "warn"
    publish(world.store, END - 8 * DAY)
    assert "stale" not in codes(look(world))


@pytest.fixture(scope="module")
def modelled(tmp_path_factory):
    """A simulated company with a model of a few features."""
    folder = tmp_path_factory.mktemp("families")
    playbook = parse_playbook(starter_text().replace('every = "week"', 'every = "month"'))
    simulate(folder / "data", leads=900, seed=4)
    check_tables(playbook, folder / "data", out=folder / "tables")
    tables, catalog = Tables.open(folder / "tables"), Catalog.default(playbook).keep("count_*_30d", "days_since_*")
    training = build_training_set(tables, playbook, catalog=catalog)
    return SimpleNamespace(tables=tables, playbook=playbook, catalog=catalog, training=training)


def test_families_say_what_their_features_say_together(modelled):
    m = modelled
    scorer = LeadScorer(n_jobs=1).fit(m.training.X, m.training.y, **m.training.fit_parameters)
    model, dates = scorer.model_, [datetime(2025, month, 1, tzinfo=UTC) for month in (3, 9)]
    assert model.parts
    found = family_drift(
        m.tables, m.playbook, model, m.catalog, before=dates[0], now=dates[1], points=10 / math.log(2), memory="2GB",
        progress=lambda step: None,
    )  # fmt: skip
    family = {f["name"]: f["family"] for f in m.training.manifest["features"]}
    expected = []
    for date in dates:
        parts = Explainer(model).explain(build_scoring_set(m.tables, m.playbook, date, catalog=m.catalog).X)
        table = pd.DataFrame(parts.of_features, columns=parts.names).T.groupby(family).sum().T
        expected.append(table.abs().mean() * 10 / math.log(2))
    assert {d.family for d in found} == set(expected[0].index)
    for drift in found:
        assert (drift.before, drift.now) == pytest.approx((expected[0][drift.family], expected[1][drift.family]))
        assert drift.words == m.catalog.family_words(drift.family, "en")


# Touches


def weekly_opens(counts: list[int], end: datetime = END, late: timedelta = timedelta(0)) -> list[dict[str, str]]:
    """Opens by week, the newest first; the last touch stands at the end of the data."""
    rows = []
    for week, count in enumerate(counts):
        for n in range(count):
            at = end - 7 * week * DAY - timedelta(hours=1 + n)
            rows.append(open_touch(len(rows), LEADS[n % 60], at, known_at=text(at + late)))
    return [*rows, open_touch(9999, LEADS[0], end, kind="send")]


@pytest.mark.parametrize(
    ("counts", "silent"),
    [
        ([1, *[20] * 15], True),
        ([4, *[20] * 15], False),  # not less than a fifth
        ([0, *[20] * 15], True),
        ([0, *[20, 0] * 8], False),  # such weeks were before
        ([0, *[9] * 15], False),  # so few may fail by chance
        ([0, *[20] * 3], False),  # no month of data to know what is usual
    ],
)
def test_a_kind_that_falls_silent_calls_for_its_feed(world, counts, silent):
    world.company.write("touches", weekly_opens(counts))
    publish(world.store, END)
    result = look(world)
    (kind,) = (k for k in result.touches.kinds if k.kind == "open")
    assert kind.last == counts[0]
    if len(counts) > 5:
        assert kind.usual == np.median(counts[1:14])
    advice = [f.advice for f in result.findings if f.code == "silent_kind"]
    assert advice == (["check the e-mail feed"] if silent else [])


def test_what_is_always_known_late_is_not_silent(world):
    """Of the last week nothing is known yet, as nothing was of any week at its end."""
    late = [row for row in weekly_opens([20] * 15, late=10 * DAY) if row.get("known_at", "") <= text(END)]
    world.company.write("touches", late)
    publish(world.store, END)
    result = look(world)
    (kind,) = (k for k in result.touches.kinds if k.kind == "open")
    assert (kind.last, kind.usual) == (0, 0)
    assert "silent_kind" not in codes(result)


def test_machines_are_counted_among_inbound_touches(world):
    rows = weekly_opens([120, *[50] * 15])
    for row in rows:
        young = row["occurred_at"] > text(END - 7 * DAY)
        row["machine"] = (
            "true" if row["kind"] == "open" and int(row["touch_id"][1:]) % (2 if young else 10) == 0 else ""
        )
    world.company.write("touches", rows)
    publish(world.store, END)
    result = look(world)
    opens = [(datetime.fromisoformat(r["occurred_at"]), r["machine"] == "true") for r in rows if r["kind"] == "open"]

    def share(begin: datetime, end: datetime) -> float:
        return float(np.mean([machine for at, machine in opens if begin <= at < end]))

    end = END + timedelta(microseconds=1)  # the last fact is the last that counts
    machines, month = result.touches.machines, end - 30 * DAY
    assert machines.last_7_days == pytest.approx(share(end - 7 * DAY, end))
    assert machines.last_30_days == pytest.approx(share(month, end))
    assert machines.before == pytest.approx(share(month - 91 * DAY, month))
    assert codes(result)["machine_touches"] == "warn"


# The two teams


def test_steps_that_were_skipped_count_as_reached_and_what_comes_later_does_not(world):
    quarter = END - 91 * DAY
    journeys = {
        0: [("ready", 10), ("accepted", 20), ("qualified", 30)],
        1: [("ready", 10), ("qualified", 40)],
        2: [("ready", 5)],
        3: [("ready", -10), ("accepted", 3)],
        4: [("ready", -50), ("accepted", -40)],
    }
    world.company.write("stages", [
        {"lead_id": LEADS[20 + i], "stage": stage, "entered_at": text(quarter + day * DAY)}
        for i, steps in journeys.items()
        for stage, day in steps
    ])  # fmt: skip
    publish(world.store, END)
    passages = {f"{p.step} {p.then}": p for p in look(world).teams.passages}
    assert (passages["mql sal"].entered, passages["mql sal"].passed) == (4, 3)  # person-007, won in August, skipped all
    assert (passages["sal sql"].entered, passages["sal sql"].passed) == (4, 3)
    assert (passages["sql won"].entered, passages["sql won"].passed) == (3, 1)
    assert (passages["mql sal"].entered_before, passages["mql sal"].passed_before) == (2 + 6, 1 + 6)


def test_answers_first_contacts_and_reasons_are_counted_by_the_quarter(world):
    batch = publish(world.store, END - 30 * DAY)
    agreed, store = world.company.playbook, world.store
    handed = END - 20 * DAY
    store.hand_over(LEADS[:6], batch.id, agreed, by="job", now=handed)
    store.hand_over(LEADS[6:7], batch.id, agreed, by="job", now=END + 6 * timedelta(hours=1))
    hour = timedelta(hours=1)
    store.give_feedback(LEADS[0], "accept", agreed, by="anna", now=handed + 2 * hour)
    store.give_feedback(LEADS[1], "accept", agreed, by="anna", now=handed + 30 * hour)
    store.give_feedback(LEADS[2], "reject", agreed, by="anna", reason="wrong_person", now=handed + 3 * hour)
    store.give_feedback(LEADS[3], "recycle", agreed, by="anna", reason="no_budget", now=handed + 4 * hour)
    calls = {0: [-5, 9], 1: [7], 2: [15]}
    world.company.write("touches", [
        open_touch(1, LEADS[0], END),
        *(open_touch(100 * i + h + 50, LEADS[i], handed + h * hour, kind="call") for i in calls for h in calls[i]),
    ])  # fmt: skip
    result = look(world)
    teams = result.teams
    assert teams.kept == pytest.approx(3 / 6)  # one was late, two are open beyond their time
    assert teams.overdue == 2
    assert teams.answered == 4
    assert teams.to_first_contact == 9
    assert teams.not_contacted == 3  # what was handed over after the end of the data cannot be seen
    assert teams.reasons == {"Wrong person": 1, "No budget": 1}
    figures = {figure.name: figure for figure in teams.figures}
    assert figures["accepted_share"].value == pytest.approx(2 / 4)
    assert figures["accepted_share"].missed
    assert math.isnan(figures["accepted_share"].before)
    assert (figures["wins"].value, figures["wins"].before) == (1, 6)
    assert codes(result)["overdue"] == "note"
    assert "kpi_missed" not in codes(result)  # four answers are too few to judge


def test_tiers_stand_beside_what_sales_can_call(world):
    log_odds = [-1.0] * 4 + [-3.5] * 3 + [-5.0] * 50 + [-9.0] * 3
    publish(world.store, END, log_odds)
    result = look(world)
    assert result.volumes.tiers == pd.Series(Scale().tier(np.array(log_odds))).value_counts().to_dict()
    assert result.volumes.capacity == 10
    assert codes(result)["capacity"] == "note"


def test_with_a_threshold_the_leads_above_it_are_counted_and_a_tenth_stands_for_what_is_called(world):
    world.company.playbook_text = world.company.playbook_text.replace(
        "capacity = { people = 2, per_person_per_week = 5 }", "threshold = 0.1"
    )
    log_odds = list(np.linspace(-1, -4, 60))
    publish(world.store, MARCH, log_odds)
    result = look(world)
    assert result.volumes.above_threshold == sum(1 / (1 + math.exp(-z)) >= 0.1 for z in log_odds)
    assert result.volumes.capacity is None
    assert result.nights[0].realised.capture.value == pytest.approx(5.9 / 6)  # a tenth of 59, of which 6 were won


# Limits, codes and forms


def test_the_limits_are_the_playbooks(world):
    publish(world.store, MARCH, [2.0] * 60)
    world.company.playbook_text += "\n[monitor]\nobserved_expected = [0.01, 9.0]\n"
    assert "observed_expected" not in codes(look(world))


def test_a_range_that_does_not_rise_is_refused(world):
    world.company.playbook_text += "\n[monitor]\nobserved_expected = [1.25, 0.8]\n"
    with pytest.raises(Exception, match="does not rise"):
        _ = world.company.playbook


def test_notes_do_not_call_a_person(world):
    publish(world.store, END)
    result = look(world)
    assert set(codes(result).values()) == {"note"}
    assert not result.needs_attention
    worse = replace(result, findings=(replace(result.findings[0], severity="warn"),))
    assert worse.needs_attention
    assert worse.to_dict()["ok"] is False


def run(world: SimpleNamespace, folder: Path, *more: str) -> tuple[int, str]:
    (folder / "playbook.toml").write_text(world.company.playbook_text, encoding="utf-8")
    assert world.company.check().ok
    arguments = ["--playbook", folder / "playbook.toml", "--tables", world.company.out, "--models", folder / "models",
                 "--store", world.path]  # fmt: skip
    ended = CliRunner().invoke(app, ["monitor", *map(str, arguments), *more])
    return ended.exit_code, ended.stdout


def test_the_exit_code_says_whether_a_person_must_look(world, tmp_path):
    publish(world.store, END)
    code, told = run(world, tmp_path)
    assert (code, "Nothing that a person must look at" in told) == (0, True)
    store = Registry.local(tmp_path / "models").store
    assert len(store.client.search_runs([store.experiment_id])) == 1
    publish(world.store, MARCH, [2.0] * 60)
    code, told = run(world, tmp_path, "--no-mlflow", "--json")
    given = json.loads(told, parse_constant=pytest.fail)  # NaN is no JSON
    assert code == Exit.NEEDS_ATTENTION
    assert given["ok"] is False
    assert given["findings"][0]["code"] == "observed_expected"
    assert given["outcomes"]["realised"]["won"] == 6
    assert len(store.client.search_runs([store.experiment_id])) == 1  # as --no-mlflow asked


def test_nobody_is_named_in_any_form(world, tmp_path):
    publish(world.store, MARCH)
    batch = publish(world.store, END)
    world.store.hand_over(LEADS[:5], batch.id, world.company.playbook, by="berta")
    world.store.give_feedback(LEADS[0], "reject", world.company.playbook, by="anna", reason="no_budget")
    asked = ("--json",), ("--html", str(tmp_path / "m.html"))
    forms = [run(world, tmp_path, "--no-mlflow", *more)[1] for more in asked]
    for form in (*forms, (tmp_path / "m.html").read_text(encoding="utf-8")):
        assert "No budget" in form
        for name in ("person-", "firm-", "anna", "berta"):
            assert name not in form


def test_the_page_needs_nothing_but_itself_and_escapes_words(world):
    publish(world.store, MARCH, [2.0] * 60)
    world.company.playbook_text = world.company.playbook_text.replace('"was called"', '"was <b>called</b>"')
    told = page(look(world))
    assert "was &lt;b&gt;called&lt;/b&gt;" in told
    for loaded in ("<script", "http://", "https://", "src=", "@import", "url("):
        assert loaded not in told
    assert "observed_expected" in told
    assert "retrain" in told


def test_the_figures_are_a_run_in_the_registrys_experiment_and_nowhere_else(world, tmp_path, monkeypatch):
    import mlflow

    monkeypatch.chdir(tmp_path)
    publish(world.store, MARCH)
    publish(world.store, END)
    result, registry = look(world), Registry.local(tmp_path / "models")
    before = mlflow.get_tracking_uri()
    run_id = log_monitoring(registry, result)
    found = registry.store.client.get_run(run_id)
    assert mlflow.get_tracking_uri() == before
    assert found.info.experiment_id == registry.store.experiment_id
    assert found.info.status == "FINISHED"
    assert found.data.tags["touchline.kind"] == "monitoring"
    assert found.data.metrics["observed_expected"] == result.outcomes.realised.observed_expected.value
    assert found.data.metrics["psi"] == result.nights[0].drift.psi
    assert all(math.isfinite(value) for value in found.data.metrics.values())
    files = {file.path for file in registry.store.client.list_artifacts(run_id)}
    assert files == {"monitoring.json", "monitoring.html"}
    assert not (tmp_path / "mlruns").exists()
    assert not (tmp_path / "mlflow.db").exists()
