"""The demo: the whole job on a made-up company, in one folder that can be deleted and made again.

What is there and was made from the same data is not made again, so that a second run starts where the first ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import touchline
from touchline.features import CheckResult, Tables, check_tables
from touchline.features.sources.simulated import Traps, simulate
from touchline.features.tables.workspace import Progress
from touchline.models.registry import Registry
from touchline.pipelines.promote import judge_challenger
from touchline.pipelines.score import Scored, score
from touchline.pipelines.train import Trained, train
from touchline.playbook import Playbook, load_playbook, starter_text
from touchline.serve.card import LeadCard
from touchline.serve.explain import explain_leads
from touchline.serve.store import Store

REPORT = "report.html"
MADE_FROM = "model-made-from.txt"
"""Which data and agreement the champion is from."""
_BEST = 3
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Demo:
    """What the demo came to.

    Attributes
    ----------
    folder
        Where everything is.
    trained
        The training; None if there was a model already.
    nights
        Two batches, a week apart.
    cards
        The best leads of the second.
    """

    folder: Path
    trained: Trained | None
    nights: tuple[Scored, Scored]
    cards: list[LeadCard]

    @property
    def report(self) -> Path:
        """The cards as a page."""
        return self.folder / REPORT


def run_demo(
    folder: Path, *, leads: int, progress: Progress, show_check: Callable[[CheckResult], None] = lambda result: None
) -> Demo | None:
    """Simulate a company into `folder`, check its data, train, promote, score two weeks, and explain the best leads.

    The playbook in `folder` is written only if there is none, so that one can change it and run the demo again.

    Returns
    -------
    Demo
        None if the data was refused; `show_check` was told why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "playbook.toml"
    if not file.exists():
        # Rows a month apart are a quarter of those a week apart, and a demo is not for waiting.
        file.write_text(starter_text().replace('every = "week" ', 'every = "month"'), encoding="utf-8")
    playbook = load_playbook(file)
    progress("simulating a company")
    simulate(folder / "data", leads=leads, seed=0, traps=Traps(duplicates=True, merges=True))
    checked = check_tables(playbook, folder / "data", out=folder / "tables", progress=progress)
    show_check(checked)
    if not checked.ok:
        return None
    tables, registry = Tables.open(folder / "tables"), Registry.local(folder / "models")
    trained = _train(tables, file, playbook, registry, progress)
    if trained is not None and trained.judged is None:
        return None
    with Store.open(folder / "scores.db") as store:
        end = datetime.fromisoformat(tables.manifest["result"]["last"])
        first, second = (
            score(
                tables, playbook, registry, store, playbook_text=file.read_text(encoding="utf-8"), as_of=as_of,
                out=folder / name, revise=True, progress=progress,
            )
            for as_of, name in ((end - _WEEK, "last-week"), (end, "this-week"))
        )  # fmt: skip
        best = store.best(limit=_BEST).scores["lead_id"].to_pylist()
    cards = explain_leads(tables, playbook, registry.load(), best, since=end - _WEEK, progress=progress)
    demo = Demo(folder, trained, (first, second), cards)
    demo.report.write_text(_page(cards), encoding="utf-8")
    return demo


def _train(tables: Tables, file: Path, playbook: Playbook, registry: Registry, progress: Progress) -> Trained | None:
    """Train and promote, unless there is a champion from the same data by the same agreement."""
    made_from = f"{touchline.__version__} {tables.digest} {playbook.digest}"
    note = file.with_name(MADE_FROM)
    if "champion" in registry.aliases() and note.exists() and note.read_text(encoding="utf-8") == made_from:
        return None
    trained = train(tables, file, registry, progress=progress)
    if trained.version is not None:
        judgement = judge_challenger(tables, playbook, registry, progress=progress)
        registry.promote(judgement.challenger, {"rule": "the demo promotes what it trained", **judgement.to_dict()})
        note.write_text(made_from, encoding="utf-8")
    return trained


def _page(cards: list[LeadCard]) -> str:
    """The cards, one below the other."""
    shown = "\n".join(card._repr_html_() for card in cards)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += "<title>Touchline: the best leads</title>"
    return f'<!doctype html>\n<html lang="{cards[0].language}"><head>{head}</head><body>\n{shown}\n</body></html>\n'
