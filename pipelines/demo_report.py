"""The demo's result as people read it."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from touchline.pipelines.demo import Demo
from touchline.pipelines.model_report import show_trained


def show_demo(demo: Demo, console: Console) -> None:
    """Print how the model was judged, what the two weeks came to, the best leads, and what to open next."""
    console.print()
    if demo.trained is not None:
        show_trained(demo.trained, console)
    for night in demo.nights:
        batch = night.batch
        console.print(
            Text.assemble(
                ("Scored ", "bold"),
                f"{batch.rows:,} leads as of {batch.lineage.as_of:%Y-%m-%d} by {batch.lineage.model} "
                f"{batch.lineage.version}",
                f"; {night.handed_over:,} handed over to sales" if night.is_new else " (the same as before)",
            )
        )
    for card in demo.cards:
        console.print(Padding(Rule(style="dim"), (1, 0, 0, 0)))
        console.print(Text(card.to_text()), soft_wrap=True)
    place = demo.folder
    lead = demo.cards[0].lead_id
    console.print(Text.assemble(("Written to ", "bold"), f"{place}/tables, models, scores.db, this-week/leads.csv"))
    console.print(Text.assemble(("Next: ", "bold"), f"open {demo.report} in a browser, or"))
    common = f"-p {place}/playbook.toml -t {place}/tables -m {place}/models"
    console.print(Text(f"  touchline explain {lead} {common} --lang fr"), soft_wrap=True)
