"""`touchline explain` on one small company: what comes out in which form, and how it ends where it cannot."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from touchline.features import Tables, build_training_set, check_tables
from touchline.features.audit import Audit, Code, Finding
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer
from touchline.models.evaluation import compare
from touchline.models.registry import Registry, TrainingRecord
from touchline.pipelines.exits import Exit
from touchline.playbook import load_playbook, starter_text
from touchline.serve.explain import explain_leads

AS_OF, SINCE = "2025-09-01", "2025-08-01"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """What it told a person, on one line and without the frames around it."""
        return " ".join(re.sub("[│╭╮╰╯─]", " ", self.err).split())


@dataclass(frozen=True)
class Place:
    """A folder with a playbook, tables and a champion."""

    folder: Path
    lead: str

    @property
    def on(self) -> tuple[str, ...]:
        named = {"--playbook": "playbook.toml", "--tables": "tables", "--models": "models"}
        return tuple(word for option, name in named.items() for word in (option, str(self.folder / name)))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("company")
    text = starter_text().replace('every = "week"', 'every = "month"')
    (folder / "playbook.toml").write_text(text, encoding="utf-8")
    playbook = load_playbook(folder / "playbook.toml")
    simulate(folder / "data", leads=400, seed=3)
    assert check_tables(playbook, folder / "data", out=folder / "tables").ok
    training = build_training_set(folder / "tables", playbook, every="month")
    scorer = LeadScorer(n_jobs=1, small_data=playbook.small_data)
    model = scorer.fit(training.X, training.y, **training.fit_parameters).model_
    comparison = compare(
        {"touchline": model.probability(training.X), "base": np.full(len(training.y), np.mean(training.y))},
        training.y, groups=training.groups, as_of=training.as_of, capacity=0.1, reference="base", draws=200,
    )  # fmt: skip
    record = TrainingRecord(
        model=model, twin=model, judged_from=datetime(2025, 1, 1, tzinfo=UTC), training=training.manifest,
        playbook=playbook, playbook_text=text, comparison=comparison, scored_as="touchline",
        audit=Audit((Finding(next(iter(Code)), "ok", "touches", {}, "nothing found"),)), seconds=1.0,
    )  # fmt: skip
    registry = Registry.local(folder / "models")
    registry.promote(registry.log(record).version, {"rule": "first model"})
    rows = Tables.open(folder / "tables").arrow("leads", ["lead_id", "created_at"]).to_pylist()
    return Place(folder, min(rows, key=lambda row: row["created_at"])["lead_id"])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator:
    """Run a command as `touchline` does, within this process."""
    from touchline.pipelines.cli import main

    handlers = {asked: signal.getsignal(asked) for asked in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("TOUCHLINE_MODELS", raising=False)

    def explain(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["touchline", "explain", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    yield explain
    for asked, handler in handlers.items():
        signal.signal(asked, handler)


@pytest.mark.parametrize("code", ["en", "fr"])
def test_the_card_is_that_of_explain_leads(place, run, code):
    ended = run(place.lead, *place.on, "--as-of", AS_OF, "--since", SINCE, "--lang", code)
    playbook = load_playbook(place.folder / "playbook.toml")
    (card,) = explain_leads(
        Tables.open(place.folder / "tables"), playbook, Registry.local(place.folder / "models").load(), [place.lead],
        as_of=datetime(2025, 9, 1, tzinfo=UTC), since=datetime(2025, 8, 1, tzinfo=UTC), language=code,
    )  # fmt: skip
    assert ended == Ended(Exit.OK, card.to_text(), "")
    assert card.change is not None
    assert ("Lead " if code == "en" else "Contact ") + place.lead in ended.out


def test_json_is_one_document_and_nothing_else(place, run):
    ended = run(place.lead, *place.on, "--as-of", AS_OF, "--format", "json")
    card = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert (card["lead_id"], card["language"], card["model"]) == (place.lead, "en", "lead-scorer 1")
    assert card["as_of"].startswith("2025-09-01T00:00:00")
    assert card["change"] is None
    assert card["base"]["points"] + card["rest"]["points"] + sum(r["points"] for r in card["reasons"]) == card["score"]


def test_out_writes_the_card_and_leaves_stdout_alone(place, run, tmp_path):
    page = tmp_path / "card.html"
    ended = run(place.lead, *place.on, "--as-of", AS_OF, "--format", "html", "--lang", "fr", "--out", page)
    assert (ended.code, ended.out) == (0, "")
    assert str(page) in ended.said
    assert page.read_text(encoding="utf-8").startswith('<!doctype html>\n<html lang="fr">')
    assert f"Contact {place.lead}" in page.read_text(encoding="utf-8")


def test_without_as_of_a_card_is_of_the_end_of_the_data(place, run):
    ended = run(place.lead, *place.on, "--format", "markdown")
    last = datetime.fromisoformat(Tables.open(place.folder / "tables").manifest["result"]["last"])
    assert ended.out.startswith("### Lead")
    assert f"Scored as of {last:%-d %B %Y}" in ended.out


def test_of_a_lead_that_was_not_known_then_it_is_said(place, run):
    ended = run(place.lead, *place.on, "--as-of", AS_OF, "--since", "2001-01-01")
    assert ended.code == 0
    assert "On 2001-01-01 the lead was not known yet" in ended.said
    assert "SINCE" not in ended.out


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--lang", "de"), Exit.USAGE, "the playbook speaks en, fr, not 'de'"),
        (("--before", "1"), Exit.USAGE, "add --since"),
        (("--since", "soon"), Exit.USAGE, "'soon' is no date"),
        (("--format", "pdf"), Exit.USAGE, "pdf"),
        (("--as-of", AS_OF, "--since", AS_OF), Exit.BAD_DATA, "name an earlier instant"),
        (("--as-of", "2001-01-01"), Exit.BAD_DATA, "were not known yet"),
        (("--version", "7"), Exit.NO_MODEL, "7"),
        (("--out", "nowhere/card.txt"), Exit.USAGE, "nowhere/card.txt"),
    ],
)
def test_what_cannot_be_ends_with_its_code_and_words(place, run, tmp_path, monkeypatch, options, code, said):
    monkeypatch.chdir(tmp_path)
    ended = run(place.lead, *place.on, *options)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.said
    assert "Traceback" not in ended.err


def test_a_lead_that_does_not_exist_is_refused_without_its_name(place, run):
    ended = run("somebody@example.com", *place.on)
    assert (ended.code, ended.out) == (Exit.BAD_DATA, "")
    assert "1 of those asked for are not in the tables" in ended.said
    assert "somebody" not in ended.err


def test_without_a_champion_there_is_nothing_to_explain_with(place, run, tmp_path):
    ended = run(place.lead, *place.on[:-1], tmp_path / "empty")
    assert (ended.code, ended.out) == (Exit.NO_MODEL, "")
    assert ended.said
