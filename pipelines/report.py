"""Results as people read them: of a check, of a set, of an audit."""

from __future__ import annotations

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from touchline.features import CheckResult, FeatureSet
from touchline.features.audit import Audit


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


def show_set(made: FeatureSet, console: Console) -> None:
    """Print what a set holds, what was left out and why, and where it lies."""
    m, spans = made.manifest, made.manifest["windows"]
    counts = {s: sum(c[s] for c in m["counts"]) for s in ("won", "not_won", "immature", "already_closed", "open_deal")}
    used = [c["as_of"][:10] for c in m["counts"] if m["kind"] == "scoring" or c["won"] + c["not_won"]]
    console.print(Text.assemble((f"{m['kind'].capitalize()} set ", "bold"), (m["digest"][:12], "dim")))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column()
    table.add_row("rows", f"{m['rows']:,} of {m['leads']:,} leads")
    table.add_row("as of", used[0] if len(used) == 1 else f"{used[0]} to {used[-1]}, {len(used)} dates")
    if m["kind"] == "training":
        rate = counts["won"] / max(1, counts["won"] + counts["not_won"])
        window = f"{spans['gap_days']:g} to {spans['gap_days'] + spans['horizon_days']:g} days after as_of"
        table.add_row("won", f"{counts['won']:,} rows ({rate:.2%}), {m['won_deals']:,} deals, {window}")
        table.add_row("immature", f"{counts['immature']:,} rows left out: the data ends {spans['data_end'][:10]}")
    table.add_row("left out", f"{counts['already_closed']:,} closed before, {counts['open_deal']:,} with an open deal")
    table.add_row("features", f"{len(m['features'])} in {len(m['families'])} families")
    console.print(Padding(table, (1, 0)))
    if m["kind"] == "training" and m["wins_of_nobody"]:
        said = f'{m["wins_of_nobody"]:,} won deals name no lead; with `credit = "account"` they would count'
        console.print(Text.assemble(("Note: ", "yellow"), said))
    console.print(Text.assemble(("Written to ", "green"), str(made.folder)))


_COLOURS = {"block": "bold red", "warn": "yellow", "note": "cyan"}


def show_audit(result: Audit, console: Console) -> None:
    """Print what was found, the worst first, with what to do; and how many checks found nothing."""
    for finding in result.worse_than("ok"):
        console.print(
            Text.assemble((f"{finding.severity:5} ", _COLOURS[finding.severity]), (finding.code, "bold"), " ")
        )
        console.print(Padding(Text(f"{finding.subject}: {finding.message}"), (0, 0, 0, 6)))
        console.print(Padding(Text(f"To do: {finding.advice}", "dim"), (0, 0, 0, 6)))
    fine = sum(finding.severity == "ok" for finding in result.findings)
    console.print(f"\n{fine} checks found nothing amiss.")
    if result.blocked:
        console.print(Text("There is a leak: mend what blocks before a model learns from this set.", "bold red"))
