"""Leads as a CRM shows them today: current values, current stage, and how they ended.

That is what Odoo's scoring reads, and why its figures on past leads flatter it: nothing here is as of a date.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from touchline.features.snapshots.credits import create_credits
from touchline.features.snapshots.draw import open_leads
from touchline.features.sources.sql import column, text, texts
from touchline.features.tables.workspace import Workspace, connect
from touchline.models.baselines.naive_bayes import OdooLeads
from touchline.playbook.contracts import TABLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from touchline.features import Tables
    from touchline.playbook import Playbook

SOURCE = "first_channel"
"""Where a lead came from: the channel of the first touch that shows interest."""


@dataclass(frozen=True)
class Today:
    """All m leads of some tables, as they are today."""

    lead_id: pd.Index[str]
    leads: OdooLeads
    stages: int
    """Stages of the pipeline; the last one is won."""
    won: NDArray[np.bool_]
    """(m,) whether it ended well."""
    closed: NDArray[np.float64]
    """(m,) when it was won or lost, microseconds UTC; missing while it is open or lives on in another lead."""

    def rows(self, at: NDArray[np.int64]) -> OdooLeads:
        """Some of the leads, by position."""
        team = self.leads.team
        fields = self.leads.fields.iloc[at].reset_index(drop=True)
        return OdooLeads(fields, self.leads.stage[at], None if team is None else team[at])


def read_today(tables: Tables, playbook: Playbook, fields: Sequence[str], team: str | None) -> Today:
    """Read the leads of canonical tables.

    A lead is won if a won deal is credited to it or its stage says so. It is lost if its stage says so, or if its deals
    all ended otherwise and no stage came after.

    Parameters
    ----------
    tables
        Canonical tables.
    playbook
        Names the stages and their order, and says whose win a deal is. Stages of role lost and recycled are no steps of
        the pipeline: a lost lead keeps the stage it had, a recycled one stands at the first stage again.
    fields, team
        Names of attributes, columns of leads, or `SOURCE`.
    """
    with tempfile.TemporaryDirectory(prefix="touchline-") as scratch:
        con = connect(Path(scratch), "1GB")
        w = Workspace(con, playbook, Path(scratch), datetime.now(UTC), lambda step: None)
        try:
            open_leads(w, tables)
            create_credits(w, tables)
            steps = _create_pipeline(w)
            asked = list(dict.fromkeys([*fields, team] if team else fields))
            frame = con.sql(_query(w, tables, asked)).to_arrow_table().to_pandas()
        finally:
            con.close()
    leads = OdooLeads(
        frame[list(fields)].astype(object),
        frame["position"].to_numpy(np.int64),
        frame[team].to_numpy(object) if team else None,
    )
    closed = frame["closed"].to_numpy(np.float64)
    return Today(pd.Index(frame["lead_id"]), leads, steps, frame["won"].to_numpy(bool), closed)


def _create_pipeline(w: Workspace) -> int:
    """Create `pipeline` (stage, role, place in the playbook, position), and say how many positions there are."""
    open_stages = [s.name for s in w.playbook.stages if s.role not in ("won", "lost", "recycled")]
    positions = {name: i for i, name in enumerate(open_stages)}
    rows = [
        (s.name, s.role, i, len(open_stages) if s.role == "won" else positions.get(s.name, 0))
        for i, s in enumerate(w.playbook.stages)
    ]
    w.con.execute("CREATE TEMP TABLE pipeline (stage VARCHAR, role VARCHAR, place BIGINT, position BIGINT)")
    w.con.executemany("INSERT INTO pipeline VALUES (?, ?, ?, ?)", rows)
    return len(open_stages) + 1


def _query(w: Workspace, tables: Tables, fields: Sequence[str]) -> str:
    selects, joins = ["l.lead_id"], [f"LEFT JOIN {_file(tables, 'accounts')} a ON a.account_id = l.account_id"]
    for i, field in enumerate(fields):
        value, join = _value(w, tables, field, f"f{i}")
        selects.append(f"CAST({value} AS VARCHAR) AS {column(field)}")
        joins += join
    is_won = "(d.won_at IS NOT NULL OR j.role = 'won')"
    lost_deals = "NOT d.is_open AND coalesce(d.lost_at >= j.entered, d.lost_at IS NOT NULL)"
    return (
        "WITH journey AS (SELECT lead_id, max(epoch_us(entered_at)) AS entered, "
        "last(p.role ORDER BY entered_at, p.place) AS role, "
        "last(p.position ORDER BY entered_at, p.place) FILTER (p.role <> 'lost') AS position "
        f"FROM {_file(tables, 'stages')} JOIN pipeline p USING (stage) GROUP BY lead_id), "
        "deals AS (SELECT lead_id, min(closed) FILTER (is_win) AS won_at, max(closed) FILTER (NOT is_win) AS lost_at, "
        "bool_or(closed IS NULL) AS is_open FROM credits GROUP BY lead_id) "
        f"SELECT {', '.join(selects)}, coalesce({is_won}, false) AS won, "
        f"CASE WHEN {is_won} THEN (SELECT max(position) FROM pipeline) ELSE coalesce(j.position, 0) END AS position, "
        f"CASE WHEN l.merged_into IS NOT NULL THEN NULL WHEN {is_won} THEN coalesce(d.won_at, j.entered) "
        f"WHEN j.role = 'lost' THEN j.entered WHEN {lost_deals} THEN d.lost_at END AS closed "
        f"FROM leads l {' '.join(joins)} LEFT JOIN journey j ON j.lead_id = l.lead_id "
        "LEFT JOIN deals d ON d.lead_id = l.lead_id ORDER BY l.lead_id"
    )


def _value(w: Workspace, tables: Tables, field: str, alias: str) -> tuple[str, list[str]]:
    """SQL for the current value of a field, and what has to be joined for it."""
    if field == SOURCE:
        kinds = texts(name for name, kind in w.playbook.kinds.items() if kind.engagement)
        first = (
            f"SELECT lead_id, first(channel ORDER BY occurred_at, channel) AS value FROM {_file(tables, 'touches')} "
            f"WHERE kind IN ({kinds}) AND NOT machine AND channel IS NOT NULL GROUP BY lead_id"
        )
        return f"{alias}.value", [f"LEFT JOIN ({first}) {alias} ON {alias}.lead_id = l.lead_id"]
    attribute = w.playbook.attributes.get(field)
    if attribute is None:
        assert field in TABLES["leads"].column_names
        return f"l.{column(field)}", []
    of, key = ("a", "account_id") if attribute.table == "accounts" else ("l", "lead_id")
    if attribute.known == "creation":
        return f"{of}.{column(field)}", []
    last = (
        f"SELECT {key}, last(value ORDER BY known_at, value) AS value FROM {_file(tables, 'changes')} "
        f"WHERE field = {text(field)} AND {key} IS NOT NULL GROUP BY {key}"
    )
    return f"{alias}.value", [f"LEFT JOIN ({last}) {alias} ON {alias}.{key} = l.{key}"]


def _file(tables: Tables, name: str) -> str:
    return f"read_parquet({text(tables.file(name))})"
