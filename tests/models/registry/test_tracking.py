"""What a run holds: everything that led to the model, for whoever asks a year later."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from touchline.models.evaluation import METRICS
from touchline.models.scorer import LeadScorer, Rung

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def run(registry):
    return registry.store.client.get_run(registry.load(1).run_id)


@pytest.fixture
def reports(registry, run):
    return registry.store.folder / "artifacts" / run.info.run_id / "artifacts"


def test_metrics_stand_with_the_ends_of_their_intervals(run, trained):
    comparison, expected = trained.record.comparison, {"seconds": 1.5}
    for metric in METRICS:
        for end, value in zip(("", "_low", "_high"), comparison.interval("seed 0", metric), strict=True):
            if not math.isnan(value):
                expected[f"{metric}{end}"] = value
    assert {"roc_auc", "roc_auc_low", "roc_auc_high", "lift"} <= set(expected)
    assert {k: v for k, v in run.data.metrics.items() if not k.startswith("base_rate")} == expected
    assert run.data.metrics["base_rate"] == comparison.base_rate.value


def test_parameters_say_what_was_chosen_and_on_how_much(run, trained):
    params = run.data.params
    assert params["chosen"] == trained.model.facts["choice"]["chosen"]
    assert params["deals"] == str(trained.model.facts["evidence"]["deals"])
    assert params["rung"] == "full"
    assert params["split"] == "as of 2025-01-06"
    assert run.info.status == "FINISHED"


def test_the_training_set_is_in_the_lineage(run, trained):
    (given,) = run.inputs.dataset_inputs
    digest = trained.record.training["digest"]
    assert digest.startswith(given.dataset.digest)
    assert len(given.dataset.digest) == 36
    assert json.loads(given.dataset.source) == trained.record.training["recipe"]
    assert run.data.tags["touchline.training"] == digest


def test_reports_and_pictures_are_kept(reports, trained):
    assert (reports / "playbook.toml").read_text(encoding="utf-8") == trained.record.playbook_text
    assert json.loads((reports / "comparison.json").read_text()) == trained.record.comparison.to_dict()
    assert json.loads((reports / "audit.json").read_text())["findings"][0]["message"] == "nothing found"
    assert "nothing found" in (reports / "audit.html").read_text(encoding="utf-8")
    assert (reports / "model_card.md").read_text(encoding="utf-8") == trained.record.card.markdown()
    assert json.loads((reports / "environment.json").read_text())["lightgbm"]
    pictures = sorted((reports / "figures").iterdir())
    assert [p.stem for p in pictures] == ["calibration_over_time", "gain", "lift", "reliability", "scores"]
    assert all(p.read_bytes().startswith(PNG) for p in pictures)


def test_the_version_carries_the_digests_that_are_kept_outside_the_files(registry, artefact, trained):
    from touchline.models.artifact import digest_of

    tags = registry.store.client.get_model_version("lead-scorer", "1").tags
    assert tags["touchline.digest"] == digest_of(artefact(1))
    assert tags["touchline.playbook"] == trained.record.playbook.digest
    assert tags["touchline.training"] == trained.record.training["digest"]
    assert tags["touchline.version"]


def test_nothing_is_pickled(registry):
    kinds = {path.suffix for path in (registry.store.folder / "artifacts").rglob("*") if path.is_file()}
    assert kinds <= {"", ".json", ".txt", ".py", ".yaml", ".md", ".html", ".png", ".csv", ".toml"}


def test_a_training_that_cannot_be_written_fails_its_run_and_registers_nothing(registry, trained):
    class BrokenAudit:
        def to_dict(self):
            raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        registry.log(replace(trained.record, audit=BrokenAudit()))
    client = registry.store.client
    runs = client.search_runs([registry.store.experiment_id])
    assert sorted(run.info.status for run in runs) == ["FAILED", "FINISHED", "FINISHED"]
    assert registry.load("challenger").version == 2
    assert len(client.search_model_versions("name = 'lead-scorer'")) == 2


def test_a_model_that_is_not_in_its_comparison_is_refused(registry, trained):
    with pytest.raises(ValueError, match="does not hold 'mine'; it holds seed 0, seed 1"):
        registry.log(replace(trained.record, scored_as="mine"))


def test_a_model_of_too_few_deals_is_kept_like_any_other(registry, trained):
    few = LeadScorer(n_jobs=1).fit(trained.frame.iloc[:50], [True] * 5 + [False] * 45).model_
    made = registry.log(replace(trained.record, model=few))
    loaded = registry.load(made.version)
    assert loaded.model.rung is Rung.NONE
    assert set(loaded.model.probability(trained.frame)) == set(few.probability(trained.frame))
    assert "too few to learn from" in registry.store.client.get_run(made.run_id).data.params["reason"]
