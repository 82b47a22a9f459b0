"""Models as people read them: what a training came to, whether a challenger may score, which model scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from touchline.models.judging import OURS

if TYPE_CHECKING:
    from touchline.models.evaluation import Comparison
    from touchline.models.registry import Promotion
    from touchline.pipelines.promote import Judgement
    from touchline.pipelines.train import Trained

_SHOWN = (
    ("log_loss", "log loss", "{:.4f}"),
    ("roc_auc", "ROC-AUC", "{:.3f}"),
    ("capture", "wins called", "{:.0%}"),
    ("observed_expected", "won / expected", "{:.2f}"),
)


def show_trained(result: Trained, console: Console) -> None:
    """Print how good the model is beside what people use today, what was chosen and why, and what to do next."""
    from touchline.pipelines.report import show_audit

    if result.judged is None:
        show_audit(result.audit, console)
        console.print("[bold red]Not trained:[/] a feature knows what it must not. Mend that first.")
        return
    judged, basis = result.judged, result.judged.comparison.basis
    console.print(
        Text.assemble(
            ("Judged ", "bold"),
            f"on {basis.rows:,} later rows of {basis.accounts:,} accounts, {basis.first[:10]} to {basis.last[:10]}; "
            f"{basis.won_rows:,} of them won, in {basis.won_accounts:,} accounts",
        )
    )
    console.print(Padding(comparison_table(judged.comparison), (1, 0)))
    for name, note in judged.notes.items():
        console.print(Text.assemble((f"{name}: ", "yellow"), note))
    console.print(Text.assemble(("Chosen: ", "bold"), judged.choice.reason))
    if result.tuned is not None:
        tuned = result.tuned
        told = f"{len(tuned.table)} trials in {tuned.seconds:.0f} s; {tuned.reason}"
        console.print(Text.assemble(("Tuned: ", "bold"), told))
    evidence = judged.model.facts["evidence"]
    console.print(
        Text.assemble(
            ("Learned from ", "bold"),
            f"{evidence['deals']:,} won deals in {evidence['rows']:,} rows: ",
            f"it may say {_RUNGS[judged.model.rung.value]}",
        )
    )
    if result.version is not None:
        console.print(
            f"Version {result.version.version} is the challenger. Next: `touchline promote` makes it score, if it may."
        )


_RUNGS = {
    "none": "nothing of its own (every lead gets the base rate)",
    "ranks": "who comes first, not how likely a win is",
    "probabilities": "how likely a win is, with an interval",
    "full": "how likely a win is",
}


def comparison_table(comparison: Comparison) -> Table:
    """Every model's metrics with their 95 % intervals."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for _, name, _ in _SHOWN:
        table.add_column(name, justify="right", no_wrap=True)
    for model in comparison.models:
        cells: list[str | Text] = [Text(model, "bold" if model == OURS else "")]
        for metric, _, form in _SHOWN:
            interval = comparison.interval(model, metric)
            value, low, high = ("-" if math.isnan(x) else form.format(x) for x in interval)
            cells.append(Text.assemble(value, (f"\n{low} - {high}", "dim")))
        table.add_row(*cells)
    return table


def show_judgement(judgement: Judgement, console: Console, *, promoted: bool) -> None:
    """Print each condition of the rule, and the outcome."""
    if judgement.verdict is not None:
        console.print(Padding(comparison_table(judgement.verdict.comparison), (0, 0, 1, 0)))
        for condition in judgement.verdict.conditions:
            mark = ("holds  ", "green") if condition.met else ("FAILS  ", "bold red")
            console.print(Text.assemble(mark, condition.words))
    if promoted:
        console.print(f"Version {judgement.challenger} scores from now on: {judgement.words}.")
    elif judgement.allowed:
        console.print(f"Version {judgement.challenger} may score: {judgement.words}. `touchline promote` makes it so.")
    else:
        console.print(f"Version {judgement.challenger} may not score: {judgement.words}.")


def show_models(aliases: dict[str, int], history: Sequence[Promotion], console: Console) -> None:
    """Print who scores, who wants to, and the history."""
    if not aliases:
        console.print("No model yet. Train one with `touchline train`.")
        return
    for alias, version in sorted(aliases.items()):
        console.print(f"{alias}: version {version}")
    if history:
        table = Table(box=None, pad_edge=False)
        for name in ("when", "version", "how", "why"):
            table.add_column(name)
        for entry in history:
            when = f"{entry.when:%Y-%m-%d %H:%M}" if entry.when else "?"
            table.add_row(when, str(entry.version), entry.how, str(entry.reason.get("words", "")))
        console.print(Padding(table, (1, 0, 0, 0)))
