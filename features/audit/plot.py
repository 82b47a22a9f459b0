"""The plot that facts are planted in, around an instant; and how touches, stages and changes get there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from touchline.features.audit.sample import Copy, instant, values
from touchline.features.catalog.profile import AFTER_THE_OUTCOME
from touchline.features.sources.sql import texts
from touchline.playbook import Playbook

SECOND, DAY = 1_000_000, 86_400_000_000
FIRST, LAST = "!poison", "~poison"
"""Names that sort before and after all others."""


@dataclass(frozen=True)
class Plot:
    """Where poison is planted: the tables `p_…` of a copy, around an instant. Lengths and instants in microseconds."""

    copy: Copy
    playbook: Playbook
    at: int

    def times(self, offsets: Iterable[tuple[int, int]]) -> str:
        """A relation `times(j, occurred, known)` of instants relative to T."""
        rows = [(j, self.at + a, self.at + b) for j, (a, b) in enumerate(offsets)]
        return (
            "(SELECT j, make_timestamptz(o::BIGINT) AS occurred, make_timestamptz(k::BIGINT) AS known "
            f"FROM ({values(rows)}) v(j, o, k)) times"
        )

    @property
    def known(self) -> str:
        """A relation `l` of the sample's leads that were known before T."""
        t = instant(self.at)
        return f"(SELECT * FROM sampled WHERE created_at < {t} AND known_at < {t}) l"


def added(plot: Plot, table: str, rows: str) -> int:
    """Add rows to a table of the copy; returns how many."""
    return plot.copy.count(f"INSERT INTO p_{table} BY NAME {rows}")


def touches(plot: Plot, tag: str, leads: str, times: str, *, names: str = "", value: str = "1.0") -> int:
    """Add touches of the playbook's kinds in turn, two for each lead and time, some of them by machines.

    `leads` is a relation `l` with lead_id, i and created_at; nothing happens before a lead is created.
    """
    kinds, topics = _kinds(plot), list(plot.playbook.topics) or [None]
    named = names or "NULL::VARCHAR AS campaign, NULL::VARCHAR AS asset, p.topic, k.channel"
    return added(
        plot,
        "touches",
        f"SELECT '{tag}-' || l.i || '-' || j || '-' || c AS touch_id, l.lead_id, "
        "greatest(occurred, l.created_at) AS occurred_at, greatest(known, l.created_at) AS known_at, k.kind, "
        f"k.direction, {named}, {value} AS value, (l.i + j) % 7 = 0 AS machine "
        f"FROM {leads} CROSS JOIN {times} CROSS JOIN range(2) r(c) "
        f"JOIN ({values(kinds)}) k(n, kind, channel, direction) ON k.n = (l.i + 3 * j + c) % {len(kinds)} "
        f"JOIN ({values(enumerate(topics))}) p(n, topic) ON p.n = (l.i + j) % {len(topics)}",
    )


def ordinary_touches(plot: Plot) -> int:
    """Add a touch one microsecond before T for each lead that was known, of kind `account_no % kinds`.

    Campaigns, assets and topics are those that the tables know already.
    """
    kinds = _kinds(plot)
    named = ", ".join(f"(SELECT max({c}) FROM s_touches) AS {c}" for c in ("campaign", "asset", "topic"))
    return added(
        plot,
        "touches",
        "SELECT 'ordinary-' || l.i AS touch_id, l.lead_id, occurred AS occurred_at, known AS known_at, k.kind, "
        f"k.channel, k.direction, 1.0 AS value, false AS machine, {named} FROM {plot.known} "
        f"CROSS JOIN {plot.times([(-1, -1)])} "
        f"JOIN ({values(kinds)}) k(n, kind, channel, direction) ON k.n = l.account_no % {len(kinds)}",
    )


def _kinds(plot: Plot) -> list[tuple[int, str, str | None, str]]:
    """Number, name, channel and direction of each kind."""
    return [(i, name, kind.channel, kind.direction) for i, (name, kind) in enumerate(plot.playbook.kinds.items())]


def stages(plot: Plot, offsets: Iterable[tuple[int, int]], *, outcome: bool) -> int:
    """Add stages in turn, one for each lead and time; won and lost only with `outcome`."""
    names = [s.name for s in plot.playbook.stages if outcome or s.role not in AFTER_THE_OUTCOME]
    if not names:
        return 0
    return added(
        plot,
        "stages",
        "SELECT l.lead_id, s.stage, greatest(occurred, l.created_at) AS entered_at, "
        f"greatest(known, l.created_at) AS known_at FROM {plot.known} CROSS JOIN {plot.times(offsets)} "
        f"JOIN ({values(enumerate(names))}) s(n, stage) ON s.n = (l.i + j) % {len(names)}",
    )


def changes(plot: Plot, offsets: Iterable[tuple[int, int]], fields: dict[str, str]) -> int:
    """Add changes of every field at every time; `fields` says whether a field is of `leads` or `accounts`."""
    absurd = (FIRST, "1e30", "true", "2199-01-01T00:00:00Z", LAST)  # one for each type an attribute may have
    told = f"list_extract([{texts(absurd)}], 1 + ((i + j) % {len(absurd)})::BIGINT) AS value"
    total = 0
    for table, owner in (("leads", "lead_id"), ("accounts", "account_id")):
        named = [field for field, of in fields.items() if of == table]
        if not named:
            continue
        owners = (
            plot.known
            if table == "leads"
            else "(SELECT account_id, account_no AS i FROM sampled WHERE account_id IS NOT NULL GROUP BY ALL) l"
        )
        total += added(
            plot,
            "changes",
            f"SELECT l.{owner}, f.field, {told}, known AS known_at FROM {owners} CROSS JOIN {plot.times(offsets)} "
            f"CROSS JOIN ({values([(f,) for f in named])}) f(field)",
        )
    return total


def fields_with_history(playbook: Playbook) -> dict[str, str]:
    """Attributes whose changes are features -> their table."""
    return {name: a.table for name, a in playbook.attributes.items() if a.known == "history"}
