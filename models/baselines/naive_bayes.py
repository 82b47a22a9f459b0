"""Odoo's naive Bayes, on plain columns: counts of won and lost leads by value, and the chance they give a lead.

Re-made from its documented behaviour. Every value of a field starts with 0.1 won and 0.1 lost leads, and each closed
lead adds 1. A won lead adds 1 to every stage, a lost one to its stage and all before. With W and L the won and lost
leads of the first stage, and T the sum over all values of a field (W and L for the stage),

    odds = W / L * product over values of (won / T_won) / (lost / T_lost)

Teams are counted apart; a lead without a team, or of one never seen, is judged by the sum over all teams. Values never
seen say nothing, neither do tags with fewer than 50 leads. Odoo rounds to hundredths of a percent, and of late keeps
within 0.01 and 99.99.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

START = 0.1
"""Won and lost leads of a value before the first."""
LEAST_TAG = 50
"""Leads that a tag must have to say anything."""
TAG, STAGE = "tag_id", "stage_id"
"""What tags and stages are called among fields."""


@dataclass(frozen=True)
class OdooLeads:
    """n leads as Odoo's scoring sees them, column by column."""

    fields: pd.DataFrame
    """(n, f) text: one column per field; what is missing or empty says nothing."""
    stage: NDArray[np.int64]
    """(n,) position in the pipeline, from 0."""
    team: NDArray[np.object_] | None = None
    """(n,) text or None."""
    tags: pd.DataFrame | None = None
    """(lead, tag): the lead's position, and a tag of it, once each."""

    def __post_init__(self) -> None:
        for what, column in (("fields", self.fields), ("team", self.team)):
            if column is not None and len(column) != len(self):
                raise ValueError(f"`{what}` has {len(column):,} rows and `stage` {len(self):,}; give as many")

    def __len__(self) -> int:
        return len(self.stage)

    @property
    def teams(self) -> pd.Series[str]:
        """(n,) the team, empty for none."""
        if self.team is None:
            return pd.Series("", index=range(len(self)), dtype=object)
        return pd.Series(self.team).fillna("").astype(object)


def odoo_counts(
    leads: OdooLeads,
    won: NDArray[np.bool_],
    *,
    stages: int,
    counts_empty: Collection[str] = (),
    weights: NDArray[np.float64] | None = None,
) -> pd.DataFrame:
    """Won and lost leads of each value.

    Parameters
    ----------
    leads
        n closed leads.
    won
        (n,) whether each was won; the others were lost.
    stages
        How many stages the pipeline has.
    counts_empty
        Fields in which being empty is a value too; in Odoo those that say whether an e-mail or phone is valid.
    weights
        (n,) how many leads each stands for, more than 0; 1 if left out.

    Returns
    -------
    DataFrame
        Columns `team` (empty for none), `field`, `value` (a stage's is its position), `won` and `lost`.
    """
    weight = np.ones(len(won)) if weights is None else weights
    base = pd.DataFrame({"team": leads.teams, "won": weight * won, "lost": weight * ~won})
    parts = [_stage_counts(base, leads.stage, stages)]
    for field in leads.fields.columns:
        values = _keys(leads.fields[field], empty=field in counts_empty)
        parts.append(_sums(base.assign(field=str(field), value=values.to_numpy()).dropna(subset="value")))
    if leads.tags is not None and len(leads.tags):
        of_tags = base.iloc[leads.tags["lead"].to_numpy()]
        parts.append(_sums(of_tags.assign(field=TAG, value=leads.tags["tag"].astype(str).to_numpy())))
    counts = pd.concat(parts, ignore_index=True)
    counts[["won", "lost"]] += START
    return counts


def odoo_probability(
    counts: pd.DataFrame, leads: OdooLeads, *, counts_empty: Collection[str] = ()
) -> NDArray[np.float64]:
    """The chance of each lead to be won, in percent with two decimals, shape (n,); missing if nothing was counted.

    Parameters
    ----------
    counts
        From `odoo_counts`.
    leads
        n open leads.
    counts_empty
        As given to `odoo_counts`.
    """
    pooled = counts.groupby(["field", "value"], as_index=False)[["won", "lost"]].sum()
    of_team = dict(list(counts[counts["team"] != ""].groupby("team")))
    keys = {str(f): _keys(leads.fields[f], empty=f in counts_empty) for f in leads.fields.columns}
    keys[STAGE] = pd.Series(leads.stage).astype(str)
    log_odds = np.full(len(leads), np.nan)
    judged_by = leads.teams.where(leads.teams.isin(list(of_team)), "")
    for team, rows in judged_by.groupby(judged_by).indices.items():
        evidence = _evidence(of_team.get(str(team), pooled))
        if evidence is None:
            continue
        prior, by_field = evidence
        log_odds[rows] = prior
        for field, values in keys.items():
            log_odds[rows] += values.iloc[rows].map(by_field.get(field, {})).fillna(0.0).to_numpy(float)
        if leads.tags is not None:
            of_these = leads.tags[leads.tags["lead"].isin(rows)]
            worth = of_these["tag"].astype(str).map(by_field.get(TAG, {})).fillna(0.0).to_numpy(float)
            np.add.at(log_odds, of_these["lead"].to_numpy(), worth)
    percent = 100 / (1 + np.exp(-np.clip(log_odds, -700, 700)))
    return np.clip(np.round(percent, 2), 0.01, 99.99)


def _keys(column: pd.Series, *, empty: bool) -> pd.Series[str]:  # type: ignore[type-arg]
    """Values as text; what is missing or empty stays missing, or becomes the empty text where that is a value."""
    codes, values = pd.factorize(column)  # what is missing has the code -1
    texts = np.array([*(str(value) for value in values), ""], dtype=object)
    keys = texts[codes]
    found = pd.Series(keys, dtype=object)
    return found if empty else found.mask(found == "", None)


def _sums(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.groupby(["team", "field", "value"], as_index=False, observed=True)[["won", "lost"]].sum()


def _stage_counts(base: pd.DataFrame, stage: NDArray[np.int64], stages: int) -> pd.DataFrame:
    """A won lead counts for all stages, a lost one up to its own; stages that nobody reached have no row."""
    codes, teams = pd.factorize(base["team"])
    won = np.bincount(codes, base["won"], len(teams))
    lost = np.zeros((len(teams), stages))
    np.add.at(lost, (codes, stage), base["lost"].to_numpy())
    reached = np.cumsum(lost[:, ::-1], axis=1)[:, ::-1]
    rows = pd.DataFrame({
        "team": np.repeat(np.asarray(teams, object), stages),
        "field": STAGE,
        "value": np.tile(np.arange(stages).astype(str).astype(object), len(teams)),
        "won": np.repeat(won, stages),
        "lost": reached.ravel(),
    })  # fmt: skip
    return rows[(rows["won"] > 0) | (rows["lost"] > 0)]


def _evidence(counts: pd.DataFrame) -> tuple[float, dict[str, pd.Series[float]]] | None:
    """Log of W / L, and by field what each value adds to the log odds; nothing without a first stage."""
    first = counts[(counts["field"] == STAGE) & (counts["value"] == "0")]
    if first.empty:
        return None
    prior = np.log(first["won"].iloc[0]) - np.log(first["lost"].iloc[0])
    totals = counts.groupby("field")[["won", "lost"]].transform("sum")
    of_field = np.log(totals["won"].to_numpy(float)) - np.log(totals["lost"].to_numpy(float))
    of_field[counts["field"] == STAGE] = prior
    worth = np.log(counts["won"].to_numpy(float)) - np.log(counts["lost"].to_numpy(float)) - of_field
    worth[(counts["field"] == TAG) & (counts["won"] + counts["lost"] < LEAST_TAG)] = 0.0
    valued = pd.Series(worth, index=pd.Index(counts["value"], dtype=object))
    return float(prior), {str(field): valued.iloc[at] for field, at in counts.groupby("field").indices.items()}
