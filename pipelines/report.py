"""A check's result as people read it."""

from __future__ import annotations

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from touchline.features import CheckResult


def show_check(result: CheckResult, console: Console) -> None:
    """Print the account of every row, what was set aside and why, and what to do next."""
    console.print(Text.assemble(("Playbook ", "bold"), f"{result.playbook} ", (result.playbook_digest[:12], "dim")))
    if result.first and result.last:
        console.print(
            Text.assemble(
                ("Data ", "bold"),
                f"{result.first:%Y-%m-%d} to {result.last:%Y-%m-%d} ",
                (result.data_digest[:12], "dim"),
            )
        )
    console.print(Group(Padding(_sources(result), (1, 0, 0, 0)), Padding(_tables(result), (1, 0))))
    deals = result.deals
    console.print(
        f"{result.table('leads').rows:,} leads; "
        f"deals: {deals['won']:,} won, {deals['lost']:,} lost, {deals['open']:,} open"
    )
    if result.reasons:
        console.print(Padding(_reasons(result), (1, 0, 0, 0)))
    for note in result.notes:
        console.print(Text.assemble(("Note: ", "yellow"), note.message))
    for account in result.sources:
        if account.columns_not_used:
            console.print(Text(f"Not used of {account.path}: {', '.join(account.columns_not_used)}", "dim"))
    _verdict(result, console)


def _sources(result: CheckResult) -> Table:
    table = Table(title="Rows read", title_justify="left", box=None, pad_edge=False)
    table.add_column("from", overflow="fold")
    for name in ("read", "kept", "ignored", "set aside"):
        table.add_column(name, justify="right")
    table.add_column("kept as", no_wrap=True)
    table.add_column("adds up")
    for a in result.sources:
        several = len(a.kept) > 1 or a.used_twice
        kept_as = "\n".join(f"{name} {n:,}" for name, n in a.kept.items()) if several else "".join(a.kept)
        again = f"\n(used twice {a.used_twice:,})" if a.used_twice else ""
        table.add_row(
            Text(a.path),
            f"{a.read:,}",
            f"{sum(a.kept.values()):,}",
            f"{a.ignored:,}",
            f"{a.quarantined:,}",
            Text(kept_as + again),
            "yes" if a.adds_up else Text("NO", "bold red"),
        )
    return table


def _tables(result: CheckResult) -> Table:
    table = Table(title="Tables", title_justify="left", box=None, pad_edge=False)
    table.add_column("table")
    for name in ("rows", "set aside", "by machines", "from merges"):
        table.add_column(name, justify="right")
    for t in result.tables:
        table.add_row(
            t.name,
            f"{t.rows:,}",
            f"{t.quarantined:,}",
            f"{t.machine:,}" if t.machine else "",
            f"{t.from_merges:,}" if t.from_merges else "",
        )
    return table


def _reasons(result: CheckResult) -> Table:
    table = Table(title="Set aside", title_justify="left", box=None, pad_edge=False)
    table.add_column("rows", justify="right")
    table.add_column("table")
    table.add_column("reason", no_wrap=True)
    table.add_column("what to do")
    for r in result.reasons:
        where = f"{r.code} ({r.column})" if r.column else r.code
        table.add_row(f"{r.rows:,}", r.table, where, Text(r.message))
    return table


def _verdict(result: CheckResult, console: Console) -> None:
    for name, share in result.over_limit.items():
        console.print(
            Text(
                f"Too many rows of {name} are bad: {share:.1%}. Mend them, or raise `[quarantine]` in the playbook.",
                "bold red",
            )
        )
    if result.out:
        console.print(Text.assemble(("Written to ", "green"), result.out))
    elif result.ok:
        console.print(Text("All good. Add `--out FOLDER` to keep the tables.", "green"))
    if result.quarantine and result.reasons:
        console.print(Text.assemble("Rows set aside: ", result.quarantine))
    elif result.reasons:
        console.print("Add `--out FOLDER` to keep a list of the rows set aside.")
