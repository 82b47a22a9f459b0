"""A monitoring as people read it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from touchline.pipelines.monitoring.told import Told, tables_of

if TYPE_CHECKING:
    from touchline.pipelines.monitor import Monitoring

_COLOURS = {"alarm": "bold red", "warn": "yellow", "note": "cyan"}


def show_monitoring(result: Monitoring, console: Console) -> None:
    """Print what was looked at, then what a person should do about it."""
    for told in tables_of(result):
        console.print(Text(told.title, "bold"), _table(told), sep="\n")
        console.print(Text(f"{told.note}\n" if told.note else "", "dim"))
    for finding in result.findings:
        mark = (f"{finding.severity:5} ", _COLOURS[finding.severity])
        console.print(Text.assemble(mark, (str(finding.code), "bold"), f" {finding.subject}: {finding.message}"))
        console.print(Padding(Text(f"To do: {finding.advice}", "dim"), (0, 0, 0, 6)))
    if not result.needs_attention:
        console.print(Text("Nothing that a person must look at.", "green"))


def _table(told: Told) -> Table:
    wide = len(told.heads) > 6  # must fit a terminal of 80 columns
    table = Table(box=None, pad_edge=False, show_header=any(told.heads), collapse_padding=wide)
    for i, head in enumerate(told.heads):
        table.add_column(head, justify="right" if i else "left", no_wrap=i == 0)
    for row in told.rows:
        table.add_row(*map(Text, row))
    return table
