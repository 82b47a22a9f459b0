"""What a person should know although no row was set aside for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from touchline.features.sources import Scan
from touchline.features.sources.sql import text, texts
from touchline.features.tables.result import Note
from touchline.features.tables.workspace import Workspace
from touchline.features.tables.write import live
from touchline.playbook.data import Source


def find_notes(w: Workspace, routes: list[tuple[Source, Scan]], folder: Path) -> tuple[Note, ...]:
    """All notes on the tables in `folder` and on where they came from."""
    return (*_sources(routes), *_deals(w, routes), *_words(w, folder), *_history(w, folder), *_idle(w, folder))


def _sources(routes: list[tuple[Source, Scan]]) -> Iterator[Note]:
    for scan in {id(scan): scan for _, scan in routes}.values():
        if scan.long_quotes:
            yield Note(
                "long_quotes",
                f"{scan.label} has {scan.long_quotes:,} values with line breaks and as many delimiters as a row has: "
                "a quote that was left open may have swallowed rows; look at the file",
            )


def _deals(w: Workspace, routes: list[tuple[Source, Scan]]) -> Iterator[Note]:
    if not {"deals", "outcomes"} & {source.table for source, _ in routes}:
        yield Note("no_deals", "there is no table of deals: nothing can be learned without won and lost ones")
    if both := w.count("SELECT count(*) FROM folded WHERE contradicted"):
        yield Note("won_and_lost", f"the log says of {both:,} deals both won and lost; its last word counts")
    against = f"{live(w, 'deals')} d JOIN folded f USING (deal_id) WHERE d.outcome <> f.outcome"
    if other := w.count(f"SELECT count(*) FROM {against}"):
        yield Note("table_against_log", f"{other:,} deals end otherwise in the log of outcomes; the table counts")


def _words(w: Workspace, folder: Path) -> Iterator[Note]:
    for name, words in (("channel", w.playbook.channels), ("topic", w.playbook.topics)):
        unnamed = f"{_file(folder, 'touches')} WHERE {name} NOT IN ({texts(words)})"
        if words and (n := w.count(f"SELECT count(*) FROM {unnamed}")):
            yield Note(
                f"unnamed_{name}",
                f"{n:,} touches have a {name} that the playbook has no words for; add it to `[{name}s]` so that "
                "people can read it",
            )


def _history(w: Workspace, folder: Path) -> Iterator[Note]:
    for name, attribute in w.playbook.attributes.items():
        changes = f"{_file(folder, 'changes')} WHERE field = {text(name)}"
        if attribute.known == "history" and not w.count(f"SELECT count(*) FROM {changes}"):
            yield Note("no_history", f'the attribute {name} has known = "history", but no change of it came')


def _idle(w: Workspace, folder: Path) -> Iterator[Note]:
    idle = f"{_file(folder, 'leads')} l ANTI JOIN {_file(folder, 'touches')} t USING (lead_id)"
    if n := w.count(f"SELECT count(*) FROM {idle}"):
        yield Note("leads_without_touches", f"{n:,} leads have no touch at all")


def _file(folder: Path, table: str) -> str:
    return f"read_parquet({text(folder / f'{table}.parquet')})"
