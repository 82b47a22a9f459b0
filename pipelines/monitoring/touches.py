"""Touches: whether every feed still brings what it usually brings, and what machines do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace
from touchline.pipelines.monitoring.findings import Code, Finding, found
from touchline.playbook import Playbook

DAY = 86_400_000_000
WEEK = 7 * DAY
WEEKS = 13
"""Weeks of the quarter that the last one is held against."""
_FEWEST_WEEKS = 4
_USUAL = 10
"""Touches a week below which a silence may be chance: of ten expected, two or fewer come once in 360 weeks."""
_MACHINES_OF = 100
"""Inbound touches in a week below which a share of machines is not judged."""


@dataclass(frozen=True)
class KindVolume:
    """Touches of a kind, copies by merges aside.

    Attributes
    ----------
    kind, words, channel
        Of the playbook; `channel` is what its feed is called.
    last
        In the last seven days of the data.
    usual, least
        Median and least of the weeks of the quarter before, each as it was known at its own end: facts that are always
        late are as late now. NaN if there is no month of data.
    """

    kind: str
    words: str
    channel: str
    last: int
    usual: float
    least: float


@dataclass(frozen=True)
class MachineShare:
    """Share of machines among inbound touches in the last 7 and 30 days, and in the quarter before those 30 days."""

    last_7_days: float
    last_30_days: float
    before: float
    touches_7_days: int


@dataclass(frozen=True)
class Touches:
    """What came in by touches."""

    kinds: tuple[KindVolume, ...]
    machines: MachineShare


def look_at_touches(w: Workspace, tables: Tables, end: int, first: int) -> Touches:
    """Count touches by kind and week, and those that machines made.

    Parameters
    ----------
    w, tables
        The tables, and a connection to ask them.
    end, first
        Where the data ends and begins, in microseconds UTC; weeks are `[end - 7 d, end)` and so on back.
    """
    w.con.execute(
        "CREATE OR REPLACE TEMP VIEW came AS SELECT kind, machine, direction, epoch_us(occurred_at) AS occurred, "
        f"epoch_us(known_at) AS known FROM read_parquet({text(tables.file('touches'))}) "
        f"WHERE merged_from IS NULL AND epoch_us(occurred_at) < {end}"
    )
    return Touches(_kinds(w, end, first), _machines(w, end))


def _kinds(w: Workspace, end: int, first: int) -> tuple[KindVolume, ...]:
    counted: pd.DataFrame = w.con.execute(
        f"SELECT kind, ({end - 1} - occurred) // {WEEK} AS week, count(*) AS n FROM came "
        f"WHERE occurred >= {end - (WEEKS + 1) * WEEK} AND known < {end} - ({end - 1} - occurred) // {WEEK} * {WEEK} "
        "GROUP BY ALL"
    ).df()
    weeks = min(WEEKS, (end - first) // WEEK - 1)
    names = list(w.playbook.kinds)
    table = counted.pivot_table(index="kind", columns="week", values="n", aggfunc="sum", fill_value=0)
    table = table.reindex(index=names, columns=range(weeks + 1 if weeks > 0 else 1), fill_value=0)
    grid = table.to_numpy(np.float64)
    nothing = np.full(len(names), np.nan)
    enough = weeks >= _FEWEST_WEEKS
    usual, least = (np.median(grid[:, 1:], axis=1), grid[:, 1:].min(axis=1)) if enough else (nothing, nothing)
    return tuple(
        KindVolume(
            name, spoken(w.playbook.kinds[name].words), _channel(w.playbook, name), int(last), float(u), float(s)
        )
        for name, last, u, s in zip(names, grid[:, 0], usual, least, strict=True)
    )


def _machines(w: Workspace, end: int) -> MachineShare:
    def share(begin: int, until: int) -> tuple[float, int]:
        ((machines, touches),) = w.con.execute(
            "SELECT count(*) FILTER (machine), count(*) FROM came WHERE direction = 'inbound' "
            f"AND occurred >= {begin} AND occurred < {until}"
        ).fetchall()
        return (machines / touches if touches else np.nan), touches

    week, touches = share(end - WEEK, end)
    month, _ = share(end - 30 * DAY, end)
    before, _ = share(end - 30 * DAY - WEEKS * WEEK, end - 30 * DAY)
    return MachineShare(week, month, before, touches)


def spoken(words: dict[str, str]) -> str:
    """In English, as the report is; else in the playbook's first language."""
    return words.get("en") or next(iter(words.values()))


def _channel(playbook: Playbook, kind: str) -> str:
    channel = playbook.kinds[kind].channel
    return spoken(playbook.channels[channel].words).lower() if channel else kind.replace("_", " ")


def judge_touches(touches: Touches, playbook: Playbook) -> list[Finding]:
    """SILENT_KIND, MACHINE_TOUCHES."""
    limits, findings = playbook.monitor, list[Finding]()
    for kind in touches.kinds:
        # A kind that comes in bursts, such as fairs, has had such weeks before.
        if kind.usual >= _USUAL and kind.last < limits.silent_share * kind.usual and kind.last < kind.least:
            told = f"{kind.last:,} touches in the last week, where {kind.usual:,.0f} are usual"
            findings.append(found(Code.SILENT_KIND, "warn", kind.kind, told, f"check the {kind.channel} feed"))
    machines = touches.machines
    rise = machines.last_7_days - machines.before
    if machines.touches_7_days >= _MACHINES_OF and rise > limits.machine_rise:
        told = f"{machines.last_7_days:.0%} of the inbound touches of the last week, {machines.before:.0%} before"
        findings.append(found(Code.MACHINE_TOUCHES, "warn", "inbound touches", told))
    return findings
