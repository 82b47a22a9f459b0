"""Simulation: from a wish (how many leads, which seed) to a folder of tables."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

import json
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.sources.simulated import prose
from touchline.features.sources.simulated.block import Block, Plan, build, partial_truth
from touchline.features.sources.simulated.clock import START, week_of, week_start
from touchline.features.sources.simulated.columns import texts
from touchline.features.sources.simulated.dynamics import compile_world, stories_per_account
from touchline.features.sources.simulated.schemas import SCHEMAS, TableWriter, stored
from touchline.features.sources.simulated.story import live
from touchline.features.sources.simulated.streams import Seeds, Stream
from touchline.features.sources.simulated.traps import PlantedTraps, Traps
from touchline.features.sources.simulated.world import DEFAULT_WORLD, World

PILOT_ACCOUNTS = 4096  # lived once, always with the same seed, to learn how many people an account has
FIRST_TRUTH_WEEK, TRUTH_EVERY_WEEKS = 40, 4


@dataclass(frozen=True)
class Simulation:
    """What `simulate` wrote."""

    path: Path
    seed: int
    start: datetime  # first instant of the simulated time, UTC
    end: datetime  # first instant after it
    people: int  # leads less those that are second ids of the same person
    rows: Mapping[str, int]  # per table
    planted: PlantedTraps

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; times in ISO 8601."""
        return {
            "path": str(self.path),
            "seed": self.seed,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "people": self.people,
            "rows": dict(self.rows),
            "planted": asdict(self.planted),
        }

    def __str__(self) -> str:
        deals, touches = self.rows["deals"], self.rows["touches"]
        return (
            f"Simulated {self.rows['leads']:,} leads, {self.rows['accounts']:,} accounts, {touches:,} touches and"
            f" {deals:,} deal rows from {self.start:%Y-%m-%d} to {self.end:%Y-%m-%d} in {self.path}"
        )


def simulate(
    out: Path,
    *,
    leads: int = 20_000,
    seed: int = 0,
    traps: Traps = Traps(),  # noqa: B008 # frozen
    world: World = DEFAULT_WORLD,
    truth_as_of: Sequence[date] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Simulation:
    """Write a simulated export with its truth.

    The same `leads`, `seed`, `traps` and `world` give the same bytes on the same platform and versions of numba and
    pyarrow, however many threads run. Memory is bounded by the block, not by `leads`.

    Parameters
    ----------
    out
        Folder for `leads`, `accounts`, `touches`, `deals`, `stages`, `changes`, `assets`, `truth` (and `merges` with
        that trap) as `.parquet`, and `simulation.json`, written last. Made if missing; files of an earlier simulation
        are replaced at the end, all at once.
    leads
        About how many leads, 1 to about 1,500,000; the exact number is in the result.
    seed
        Any whole number from 0.
    traps
        The dirt of the export.
    world
        Rates, hazards and shares.
    truth_as_of
        Mondays for which the truth is written; every fourth from week 40 on if left out.
    progress
        Called with the finished share, 0 to 1, after each block.

    Returns
    -------
    Simulation
        Where the tables are and what is in them.

    Raises
    ------
    ValueError
        If `leads` is less than 1, or a truth date is not a Monday within the simulated time.

    Notes
    -----
    `deals`: a lost or open deal is one row with the account and no lead. A won deal is one row per person
    on it (`deal_id` with suffix -1, -2, ...), each with an equal share of the amount, or one row without a
    lead if nobody is on it. `truth.probability` is the chance that the lead is on a deal won in `[as_of,
    as_of + horizon)`, given all that was known before `as_of`; `truth.won` tells what happened and is null
    while that window is not over. Leads in truth are people with a touch of their own, known and taken
    place in the last `horizon_weeks`, on an account that has no open and no won deal. Under `traps.merges`
    the truth knows which ids are one person and lists the surviving one.

    In a world whose people are apart, every deal is one row with its lead, and a lead with a lost deal is in question
    no more. In a world that drifts, the truth uses each week's own parameters, those of the weeks to come included:
    before the drift it stands for somebody who knows what is coming.
    """
    if leads < 1:
        raise ValueError(f"`leads` must be at least 1, but is {leads}. Ask for 1,000 or more to learn from them.")
    plan = _plan(leads, seed, traps, world, truth_as_of)
    out.mkdir(parents=True, exist_ok=True)
    people, planted = 0, PlantedTraps()
    with TableWriter(out, _schemas(traps)) as writer:
        writer.write({"assets": _assets_table()})
        for done, block in enumerate(_in_order(plan, workers=_workers()), start=1):
            writer.write(block.tables)
            planted += block.planted
            people += block.people
            if progress is not None:
                progress(done / plan.blocks)
        report = out / "simulation.json"
        report.unlink(missing_ok=True)
        writer.publish()
        simulation = Simulation(out, seed, START, week_start(world.weeks), people, writer.rows, planted)
        _write_report(report, simulation, plan, leads)
    return simulation


def truth_given(
    groups: Collection[str],
    *,
    leads: int = 20_000,
    seed: int = 0,
    traps: Traps = Traps(),  # noqa: B008 # frozen
    world: World = DEFAULT_WORLD,
    truth_as_of: Sequence[date] | None = None,
) -> pa.Table:
    """The truth of a simulation for somebody who is told some groups of its facts only.

    With all groups this is what `simulate` writes as `truth`, bit for bit; with none the chance of an account of which
    nothing is known but calls and past deals. All sets of groups together give conditional Shapley values of the truth
    by group of evidence. Rows are the same whatever the groups.

    Parameters
    ----------
    groups
        Some of `GROUPS`: fit, web, email, events, people.
    leads, seed, traps, world, truth_as_of
        As for `simulate`.

    Returns
    -------
    pyarrow.Table
        lead_id, as_of, probability, won.

    Raises
    ------
    ValueError
        If there is no such group, and as `simulate` does.

    Notes
    -----
    The role is part of the fit as far as it says who is on a deal; what touches mean is always measured by role. A fit
    that is not told is averaged over with three-point quadrature, so that without it chances are close (within some 4 %
    where nothing else is told either), not exact.
    """
    plan = _plan(leads, seed, traps, world, truth_as_of)
    return pa.concat_tables([partial_truth(plan, block, groups) for block in range(plan.blocks)])


def _plan(leads: int, seed: int, traps: Traps, world: World, truth_as_of: Sequence[date] | None) -> Plan:
    models = compile_world(world, traps)
    each = stories_per_account(models)
    pilot = live(models, Seeds(0).key(Stream.STORY), 0, PILOT_ACCOUNTS // each * each)
    accounts = max(1, round(leads * (pilot.accounts.size / each) / max(1, pilot.people.size)))
    return Plan(world, traps, models, Seeds(seed), accounts, _truth_weeks(world, truth_as_of))


def _truth_weeks(world: World, truth_as_of: Sequence[date] | None) -> NDArray[np.int64]:
    if truth_as_of is None:
        return np.arange(FIRST_TRUTH_WEEK, world.weeks + 1, TRUTH_EVERY_WEEKS)
    return np.array(sorted({week_of(as_of, world.weeks) for as_of in truth_as_of}), np.int64)


def _workers() -> int:
    return max(1, min(8, os.cpu_count() or 1))


def _in_order(plan: Plan, workers: int) -> Iterator[Block]:
    """Build blocks on threads and hand them over in order; at most `workers` + 1 of them exist at a time."""
    waiting: deque[Future[Block]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for number in range(plan.blocks):
                waiting.append(pool.submit(build, plan, number))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _schemas(traps: Traps) -> dict[str, pa.Schema]:
    schemas = {name: schema for name, schema in SCHEMAS.items() if name != "merges" or traps.merges}
    if not traps.leaky_field:
        index = schemas["leads"].get_field_index("phone_filled")
        schemas["leads"] = schemas["leads"].remove(index)
    return schemas


def _assets_table() -> pa.Table:
    assets = prose.ASSETS
    columns: list[pa.Array] = [texts([str(asset[position]) for asset in assets]) for position in range(5)]
    columns.append(pa.array([asset.shareable for asset in assets]))
    return pa.table(columns, schema=stored(SCHEMAS["assets"]))


def _what_is_set(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in items if value is not None}


def _write_report(path: Path, simulation: Simulation, plan: Plan, leads_wanted: int) -> None:
    report = {
        "seed": simulation.seed,
        "leads_wanted": leads_wanted,
        "accounts_simulated": plan.accounts,  # those nobody came from and that had no deal are in no table
        "people": simulation.people,
        "start": simulation.start.isoformat(),
        "end": simulation.end.isoformat(),
        "rows": dict(simulation.rows),
        "traps": asdict(plan.traps),
        "planted": asdict(simulation.planted),
        "world": asdict(plan.world, dict_factory=_what_is_set),
    }
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
