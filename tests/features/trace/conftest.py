"""Small companies as canonical tables, catalogues of every declaration, and amounts of 1 laid feature by feature."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchline.features import Catalog, Tables
from touchline.features.catalog import (
    Account,
    Burst,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    Sum,
    TouchFeature,
    Trend,
)
from touchline.features.trace import Apportioned, Trace
from touchline.playbook import Playbook


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The module beside this one that apportions by plain loops."""
    return _module(Path(__file__).with_name("oracle.py"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Tables]:
    """Write canonical tables as given, a list of rows each."""
    sets = _module(Path(__file__).parents[1] / "sets" / "conftest.py")
    number = count()

    def write_tables(until: datetime, **given: list[dict[str, Any]]) -> Tables:
        return sets.write_to(tmp_path / f"tables-{next(number)}", until, **given)

    return write_tables


@pytest.fixture(scope="session")
def everything(playbook: Playbook) -> Catalog:
    """The default catalogue, and every declaration over touches, of a lead and of its account."""
    of_touches: list[TouchFeature] = [
        Count(7), Count(None, machine=None), Count(30, direction=("sales", "outbound")), Count(91, machine=True),
        Count(30, channel="email", topic=("pricing", "support")), Sum(30), Sum(None, kind="web_visit"),
        DaysSince(), DaysSince(machine=True), DaysSinceFirst(topic="pricing"), DaysSinceFirst(),
        Decayed(half_life=3.25), Decayed(half_life=0.5, kind=("webinar", "event")), Distinct(None, of="asset"),
        Distinct(30, of="day"), Distinct(30, of="kind", machine=None), Distinct(91, of="campaign"),
        Distinct(91, of="person"), New(7, of="topic"), New(30, of="campaign", machine=None), New(91, of="person"),
        First(of="campaign"), First(of="topic"), Last(of="channel"), Last(of="asset", of_family="web"),
        Trend(1, 30), Trend(7, 91, kind="web_visit"), Gap(), Gap(engagement=True), Burst(7, machine=None), Burst(30),
        Share(None, kind="email_open"), Share(30, kind="web_visit"), Share(30, kind="email_open", machine=None),
        Rate(30, kind="email_click", per="email_open"), Rate(None, kind="email_click", per=("email_open", "webinar")),
    ]  # fmt: skip
    return Catalog.default(playbook).add(*of_touches, *map(Account, of_touches))


Each = Callable[[Tables, Catalog, pd.DataFrame], tuple[pd.DataFrame, Apportioned]]


@pytest.fixture(scope="session")
def each() -> Each:
    """Lay an amount of 1 of every feature, each a group of its own: a frame of row, feature, amount and the touch."""

    def lay(tables: Tables, catalog: Catalog, rows: pd.DataFrame) -> tuple[pd.DataFrame, Apportioned]:
        with Trace(tables, catalog.playbook, catalog, rows) as trace:
            laid = trace.apportion(np.ones((len(rows), len(catalog))), groups=np.arange(len(catalog)))
        touches = laid.touches.to_pandas().iloc[laid.touch].reset_index(drop=True)
        names = np.array(catalog.names)[laid.group]
        return touches.assign(row=laid.row, feature=names, amount=laid.amount), laid

    return lay
