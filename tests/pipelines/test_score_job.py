"""The nightly job: published once, as a whole, the same numbers everywhere, whatever happens in between."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchline.features import Catalog, Tables, build_scoring_set, build_training_set, check_tables
from touchline.features.catalog import Age
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer, Scale, load_model, save_model
from touchline.models.registry import LoadedModel
from touchline.pipelines.replay import replay, trained_as_of
from touchline.pipelines.score import Scored, score
from touchline.playbook import parse_playbook, starter_text
from touchline.serve.card.stored import stored_card
from touchline.serve.explain import explain_leads
from touchline.serve.store import Store, StoreError

PLAYBOOK = parse_playbook(starter_text())
AS_OF = datetime(2025, 9, 15, tzinfo=UTC)
NIGHT = timedelta(days=1)


@dataclass(frozen=True)
class OneModel:
    """A registry of one model, saved in a folder."""

    folder: Path
    digest: str

    def load(self, which: str | int = "champion") -> LoadedModel:
        model = load_model(self.folder, self.digest)
        return LoadedModel(model, Scale(), "lead-scorer", 1, self.digest, "run", PLAYBOOK.digest, "", "0")

    def aliases(self) -> dict[str, int]:
        return {}


@dataclass(frozen=True)
class Company:
    tables: Tables
    registry: OneModel

    def score(self, store: Store, as_of: datetime = AS_OF, **options) -> Scored:
        return score(
            options.pop("tables", self.tables), PLAYBOOK, self.registry, store, playbook_text=starter_text(),
            as_of=as_of, **options,
        )  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("night")
    simulate(folder / "data", leads=900, seed=4)
    check_tables(PLAYBOOK, folder / "data", out=folder / "tables")
    tables = Tables.open(folder / "tables")
    training = build_training_set(tables, PLAYBOOK, every="month")
    scorer = LeadScorer(n_jobs=1).fit(training.X, training.y, **training.fit_parameters)
    assert scorer.model_.parts
    return Company(tables, OneModel(folder / "model", save_model(scorer.model_, folder / "model")))


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "scores.db") as opened:
        yield opened


def all_scores(store: Store) -> pd.DataFrame:
    page = store.best(limit=10_000)
    return page.scores.to_pandas().set_index("lead_id")


def test_store_files_and_model_say_the_same_of_every_lead(company, store, tmp_path):
    result = company.score(store, out=tmp_path / "batch", language="fr")
    expected = build_scoring_set(company.tables, PLAYBOOK, AS_OF)
    leads = expected.arrow()["lead_id"].to_pylist()
    chances = pd.Series(company.registry.load().model.probability(expected.X), leads)
    kept = all_scores(store)
    files = pd.read_parquet(tmp_path / "batch" / "leads").set_index("lead_id")
    assert result.batch.rows == len(leads) == len(kept) == len(files)
    np.testing.assert_allclose(kept.loc[leads, "probability"], chances, rtol=1e-12)
    np.testing.assert_allclose(files.loc[leads, "probability"], chances, rtol=1e-12)
    with (tmp_path / "batch" / "leads.csv").open(encoding="utf-8-sig") as file:
        rows = {row["lead_id"]: row for row in csv.DictReader(file)}
    assert rows.keys() == set(leads)
    assert all(abs(float(row["probability"]) - chances[lead]) < 1e-6 for lead, row in rows.items())
    assert files["model_digest"].unique().tolist() == [company.registry.digest]


def test_the_parts_of_every_lead_add_up_to_its_score(company, store, tmp_path):
    company.score(store, out=tmp_path / "batch")
    base = store.latest().lineage.meta["base"]
    files = pd.read_parquet(tmp_path / "batch" / "leads")
    told = files["reasons"].map(lambda reasons: sum(reason["points"] for reason in reasons))
    unclipped = 50 + 10 / np.log(2) * (files["log_odds"] - np.log(1 / 99))
    np.testing.assert_allclose(base + told + files["rest"], unclipped, atol=1e-9)
    np.testing.assert_allclose(files["score"], unclipped.clip(1, 99), atol=1e-9)


def test_ranks_and_stars_are_of_the_whole_batch(company, store):
    company.score(store)
    kept = all_scores(store).sort_values("log_odds", ascending=False)
    assert kept["rank"].iloc[0] == 1
    assert kept["rank"].is_monotonic_increasing
    assert (kept["stars"] == 3).mean() == pytest.approx(0.05, abs=0.01)


def test_the_same_night_again_changes_nothing(company, store):
    first = company.score(store)
    again = company.score(store)
    assert first.is_new
    assert not again.is_new
    assert again.batch == first.batch
    assert again.handed_over == 0


def test_other_data_needs_revise_and_both_are_kept(company, store, tmp_path):
    first = company.score(store)
    other = Tables(company.tables.folder, {**company.tables.manifest, "result": {
        **company.tables.manifest["result"], "data_digest": "other",
    }})  # fmt: skip
    assert other.digest != company.tables.digest
    with pytest.raises(StoreError, match="revise"):
        company.score(store, tables=other)
    assert store.latest() == first.batch
    second = company.score(store, tables=other, revise=True)
    assert store.latest() == second.batch
    assert store.batch(first.batch.id).status == "superseded"


def test_a_later_night_tells_what_changed_and_the_steps_add_up(company, store):
    company.score(store, AS_OF - 7 * NIGHT)
    company.score(store)
    before, now = (store.score_before(all_scores(store).index.to_numpy(), t) for t in (AS_OF - 7 * NIGHT, AS_OF))
    kept = all_scores(store)
    had = ~np.isnan(before.log_odds) & kept["change"].notna()
    assert had.sum() > 100
    moved = 10 / np.log(2) * (now.log_odds - before.log_odds)
    np.testing.assert_allclose(kept["change"][had], moved[had], atol=1e-9)
    lead = kept.index[had][0]
    steps = store.lead(lead).part.changes["points"].to_numpy().sum()
    assert steps == pytest.approx(kept.loc[lead, "change"])


def test_as_many_go_over_as_sales_can_take_and_nobody_twice(company, store):
    first = company.score(store, AS_OF - 7 * NIGHT)
    second = company.score(store, AS_OF - 6 * NIGHT)
    a_week = PLAYBOOK.handoff.capacity.people * PLAYBOOK.handoff.capacity.per_person_per_week
    assert first.handed_over == a_week
    assert second.handed_over == round(a_week / 7)
    handed = [handoff.lead_id for handoff in store.handoffs()]
    assert len(handed) == len(set(handed)) == first.handed_over + second.handed_over
    best = store.best(batch=first.batch.id, limit=10_000).scores.to_pandas().nsmallest(int(a_week), "rank")
    assert {h.lead_id for h in store.handoffs() if h.batch == first.batch.id} == set(best["lead_id"])


def test_a_replay_gives_what_was_published_and_what_came_of_it(company, store, tmp_path):
    company.score(store, AS_OF - 308 * NIGHT)
    company.score(store, AS_OF - 301 * NIGHT)
    again = replay(
        company.tables, PLAYBOOK, company.registry, store, AS_OF - 301 * NIGHT, playbook_text=starter_text(),
        out=tmp_path / "replayed",
    )  # fmt: skip
    assert again.how == "published"
    assert again.parity.same
    assert again.parity.leads == again.leads == store.latest().rows
    changes = pd.read_parquet(tmp_path / "replayed" / "leads").set_index("lead_id")["change"]
    pd.testing.assert_series_equal(changes.sort_index(), all_scores(store)["change"].sort_index())
    deals = company.tables.arrow("deals").to_pandas()
    then, horizon = pd.Timestamp(AS_OF - 301 * NIGHT), pd.Timedelta(PLAYBOOK.outcome.horizon)
    won = deals[(deals["outcome"] == "won") & deals["closed_at"].between(then, then + horizon, inclusive="left")]
    assert again.outcome.leads == again.leads
    assert again.outcome.won == won["lead_id"].isin(all_scores(store).index).sum()
    assert 0 < again.outcome.called_won <= again.outcome.won
    assert again.outcome.expected == pytest.approx(all_scores(store)["probability"].sum())


def test_data_that_was_changed_since_is_told(company, store, tmp_path):
    company.score(store)
    tables = tmp_path / "tables"
    shutil.copytree(company.tables.folder, tables)
    touches = pd.read_parquet(tables / "touches.parquet")
    pd.DataFrame(touches[touches["kind"] != "pricing_page"]).to_parquet(tables / "touches.parquet", index=False)
    changed = Tables(tables, company.tables.manifest)
    again = replay(changed, PLAYBOOK, company.registry, store, AS_OF, playbook_text=starter_text())
    assert not again.parity.same
    assert again.parity.differences or again.parity.missing


def test_before_the_first_model_a_day_is_replayed_by_one_trained_as_if_on_that_day(company, store):
    """Facts of later days change nothing, labels included."""
    then = datetime(2024, 9, 2, tzinfo=UTC)
    found = replay(company.tables, PLAYBOOK, company.registry, store, then, playbook_text=starter_text())
    assert found.how == "back-test"
    assert found.parity is None
    training = build_training_set(
        company.tables, PLAYBOOK, last=then - PLAYBOOK.outcome.horizon, catalog=Catalog(PLAYBOOK, [Age()])
    )
    lag = timedelta(days=training.manifest["windows"]["label_lag_days"])
    own = trained_as_of(company.tables, PLAYBOOK, Catalog.default(PLAYBOOK), then)
    rows = own.model.facts["evidence"]["rows"]
    assert rows == (training.as_of <= then - PLAYBOOK.outcome.horizon - lag).sum()
    assert store.latest() is None


def test_the_store_tells_a_lead_as_tables_and_model_do(company, store):
    """But for the facts of a change, which the store does not keep."""
    company.score(store, AS_OF - 7 * NIGHT)
    company.score(store)
    kept = all_scores(store)
    leads = [*kept.index[:8], *kept.index[-8:]]
    live = explain_leads(
        company.tables, PLAYBOOK, company.registry.load(), leads, as_of=AS_OF, since=AS_OF - 7 * NIGHT, language="fr"
    )
    changed = 0
    for card in live:
        stored = stored_card(store.lead(card.lead_id), "fr")
        assert replace(stored, change=None).to_text() == replace(card, change=None).to_text()
        assert (stored.change is None) == (card.change is None)
        if card.change is not None:
            assert (stored.change.points, stored.change.words) == (card.change.points, card.change.words)
            assert [line.points for line in stored.change.parts] == [line.points for line in card.change.parts]
            changed += 1
    assert changed
    with pytest.raises(ValueError, match="speaks en, fr"):
        stored_card(store.lead(leads[0]), "de")


JOB = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_score_job import *
folder, digest, tables, store, out = sys.argv[2:]
company = Company(Tables.open(tables), OneModel(Path(folder), digest))
print("begun", flush=True)
with Store.open(store) as opened:
    company.score(opened, out=Path(out), progress=lambda step: print(step, flush=True))
"""


def test_a_job_that_is_killed_leaves_the_last_batch_and_the_next_run_completes(company, tmp_path):
    """Killed for real at random moments; a reader never sees anything but whole batches."""
    address, out = tmp_path / "scores.db", tmp_path / "batch"
    with Store.open(address) as store:
        first = company.score(store, AS_OF - 7 * NIGHT, out=out)
        (tmp_path / "job.py").write_text(JOB)
        command = [sys.executable, tmp_path / "job.py", Path(__file__).parent, company.registry.folder,
                   company.registry.digest, company.tables.folder, address, out]  # fmt: skip
        dice = random.Random(7)
        for _ in range(4):
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as job:
                assert job.stdout.readline() == "begun\n"
                time.sleep(dice.uniform(0.2, 6))
                os.killpg(job.pid, signal.SIGKILL)
            latest = store.latest()
            assert latest.rows == store.best(limit=10_000).scores.num_rows
            assert len(pd.read_parquet(out / "leads")) == len(pd.read_csv(out / "leads.csv")) > 0
            if latest != first.batch:
                assert latest.lineage.as_of == AS_OF  # done before it was killed
                break
        done = company.score(store, out=out)
        assert store.latest() == done.batch
        assert done.batch.lineage.as_of == AS_OF
        assert not [p for p in tmp_path.iterdir() if "scratch" in p.name]
