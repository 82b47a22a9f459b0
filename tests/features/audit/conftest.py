"""One simulated company for all tests of the audit, and ways to spoil a copy of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from touchline.features import Catalog, Tables, TrainingSet, build_training_set, check_tables
from touchline.features.audit import Audit, Code, audit
from touchline.features.catalog import Attribute
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import Playbook, parse_playbook, starter_playbook, starter_text

FEW = ("decayed_*_14d", "count_interest_*", "account_count_interest_*", "days_since_webinar", "days_since_stage_mql",
       "last_channel_interest", "stage", "age", "industry", "size", "role")  # fmt: skip


@dataclass(frozen=True)
class Company:
    """What a check of simulated data gives, and sets built from it."""

    raw: Path
    tables: Tables
    playbook: Playbook
    few: Catalog
    """A small catalogue, so that a set is built at once."""
    training: TrainingSet


def check(raw: Path, out: Path, playbook: Playbook) -> Tables:
    result = check_tables(playbook, raw, out=out)
    assert result.ok, result.over_limit
    return Tables.open(out)


def make(folder: Path, *, leads: int, seed: int) -> tuple[Path, Tables]:
    simulate(folder / "raw", leads=leads, seed=seed, traps=Traps(duplicates=True, merges=True))
    return folder / "raw", check(folder / "raw", folder / "tables", starter_playbook())


@pytest.fixture(scope="session", name="make")
def make_fixture() -> Callable[..., tuple[Path, Tables]]:
    return make


@pytest.fixture(scope="session", name="check")
def check_fixture() -> Callable[..., Tables]:
    return check


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A clean company of 1,500 leads: late facts, scanners (marked), duplicates and merges; no leak."""
    raw, tables = make(tmp_path_factory.mktemp("company"), leads=1_500, seed=1)
    playbook = starter_playbook()
    few = Catalog.default(playbook).keep(*FEW)
    return Company(raw, tables, playbook, few, build_training_set(tables, playbook, catalog=few))


@pytest.fixture
def spoilt(tmp_path: Path) -> Callable[..., Tables]:
    """Copies canonical tables with some of them told otherwise: `{table: query}` over views of all tables."""
    numbers = iter(range(100))

    def spoil(tables: Tables, **queries: str) -> Tables:
        folder = tmp_path / f"spoilt-{next(numbers)}"
        shutil.copytree(tables.folder, folder)
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            for name in tables.manifest["tables"]:
                con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{tables.file(name)}')")
            for name, query in queries.items():
                con.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["result"]["data_digest"] = folder.name
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return Tables.open(folder)

    return spoil


@pytest.fixture
def declared() -> Callable[..., Playbook]:
    """The starter playbook with attributes more, each `name=(table, type)` and fixed at creation."""

    def declare(**attributes: tuple[str, str]) -> Playbook:
        text = starter_text()
        for name, (table, kind) in attributes.items():
            section = f'[attributes.{name}]\ntable = "{table}"\ntype = "{kind}"\nknown = "creation"\n'
            words = f'words = {{ en = "{name}", fr = "{name}" }}\n'
            if f"[attributes.{name}]" in text:
                text = text.replace('known = "never" ', 'known = "creation" ')
            else:
                text = text.replace("# Without [[sources]]", f"{section}{words}\n# Without [[sources]]")
        return parse_playbook(text)

    return declare


@dataclass(frozen=True)
class Found:
    """Findings by code and subject, for short assertions."""

    audit: Audit

    def __call__(self, code: Code) -> dict[str, str]:
        """Subject -> severity, of all that is not well."""
        return {f.subject: f.severity for f in self.audit.of(code) if f.severity in ("block", "warn")}


@pytest.fixture
def find(company: Company) -> Callable[..., Found]:
    """Audits the company for some codes, with anything about it replaced."""

    def find(*codes: Code, **other: Any) -> Found:
        tables, playbook = other.pop("tables", company.tables), other.pop("playbook", company.playbook)
        other.setdefault("catalog", Catalog(playbook, company.few))
        if playbook is company.playbook and tables is company.tables:
            other.setdefault("training", company.training)
        return Found(audit(tables, playbook, only=codes, sample_leads=200, **other))

    return find


@pytest.fixture
def with_attributes(company: Company) -> Callable[..., Catalog]:
    """The small catalogue with attributes more."""

    def extend(playbook: Playbook, *names: str) -> Catalog:
        return Catalog(playbook, [*company.few, *(Attribute(name) for name in names)])

    return extend
