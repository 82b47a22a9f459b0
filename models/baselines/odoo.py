"""Odoo's predictive lead scoring: the best open CRM scorer, as it ships and as it would be without hindsight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pandas as pd

from touchline.features import DataError
from touchline.features.catalog import Attribute, Catalog, First
from touchline.features.catalog.profile import CONTACT
from touchline.models.baselines.base import read_features, require_fitted
from touchline.models.baselines.naive_bayes import OdooLeads, odoo_counts, odoo_probability
from touchline.models.baselines.odoo_today import SOURCE, Today, read_today

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from touchline.features import FeatureSet, Tables, TrainingSet
    from touchline.features.catalog import Feature
    from touchline.playbook import Playbook

Form = Literal["as_shipped", "point_in_time"]
_DAY = 86_400_000_000


class OdooPLS:
    """Odoo's predictive lead scoring, a naive Bayes over the fields of a lead.

    The score is Odoo's probability in percent, 0.01 to 99.99 (100 for leads that stand in a won stage, 0 where nothing
    was counted). It is not calibrated, and in point-in-time form it is about the label of the training set.

    `form="point_in_time"` takes each row's values as they were known at as_of. The stage is left out. Each lead counts
    once, spread over its rows by the set's weights.

    `form="as_shipped"` does what Odoo does: it counts leads with the values and stages they have today, those that were
    closed before the windows of the training set ended, and scores rows by what their leads are today. It is here to
    show what such a test is worth.

    Parameters
    ----------
    playbook
        Names attributes and stages.
    form
        Values as of each row's time, or as of today.
    tables
        Canonical tables that the sets are built from; for `as_shipped` alone.
    fields
        Attributes to count, and `first_channel` for where a lead came from; by default all text and boolean attributes
        and the source, with the language as shipped (it has no history, so no value as of a date). Odoo itself starts
        with none and offers state, country, source, language, tags and whether e-mail and phone are valid.
    team
        The attribute that stands for Odoo's sales team; without it all leads are counted together.

    Raises
    ------
    CatalogError
        If a field does not exist, or its value as of a date cannot be known.
    ValueError
        If the form does not exist, or `tables` are given to the wrong form.

    Notes
    -----
    Odoo counts leads created from a start date on (at installation, eight days ago); here all count. Our tables have no
    tags and nothing like the validity of e-mail and phone.

    References
    ----------
    github.com/odoo/odoo, `addons/crm/models/crm_lead.py` and `addons/crm/tests/test_crm_pls.py`.
    """

    def __init__(
        self,
        playbook: Playbook,
        *,
        form: Form = "point_in_time",
        tables: Tables | None = None,
        fields: Sequence[str] | None = None,
        team: str | None = None,
    ) -> None:
        if form not in ("as_shipped", "point_in_time"):
            raise ValueError(f'form is "as_shipped" or "point_in_time", not {form!r}')
        if (tables is None) is (form == "as_shipped"):
            raise ValueError('give `tables` with form="as_shipped", and only then')
        self.playbook = playbook
        self.form: Form = form
        self.tables = tables
        self.team = team
        wanted = _default_fields(playbook, form) if fields is None else fields
        self.fields = tuple(f for f in dict.fromkeys(wanted) if f != team)
        Catalog(playbook, [_feature(name) for name in self._named if name not in _TODAY_ONLY[form]])

    @property
    def name(self) -> str:
        """What tables and charts call it."""
        return f"Odoo PLS, {self.form.replace('_', ' ')}"

    @property
    def leaks(self) -> str | None:
        """Why its figures must not be believed."""
        if self.form == "point_in_time":
            return None
        return (
            "reads every lead's values and stage as they are today, long after as_of: leads that were won stand in the "
            "won stage, and those of the test period are no exception"
        )

    @property
    def features(self) -> tuple[Feature, ...]:
        """Fields and team as of a row's time; nothing as shipped, for it reads the tables."""
        return () if self.form == "as_shipped" else tuple(_feature(name) for name in self._named)

    @property
    def _named(self) -> tuple[str, ...]:
        return (*self.fields, *([self.team] if self.team else []))

    counts_: pd.DataFrame
    """Won and lost leads by team, field and value, once fitted."""

    def fit(self, training: TrainingSet) -> Self:
        """Count won and lost leads.

        Raises
        ------
        DataError
            If the set lacks features (point in time), or no lead was closed in time (as shipped).
        """
        if self.form == "point_in_time":
            self.counts_ = odoo_counts(self._as_of(training), training.y, stages=1, weights=training.weights)
            return self
        today = self._today()
        spans = training.manifest["windows"]
        last = training.as_of.max().to_datetime64().astype("datetime64[us]").astype(np.int64)
        (closed,) = np.nonzero(today.closed < last + (spans["gap_days"] + spans["horizon_days"]) * _DAY)
        if not len(closed):
            raise DataError(
                "the tables", "hold no lead that was won or lost by the end of the training windows", "bring more data"
            )
        self.counts_ = odoo_counts(today.rows(closed), today.won[closed], stages=today.stages)
        return self

    def score(self, rows: FeatureSet) -> NDArray[np.float64]:
        """Odoo's probability of n rows in percent, shape (n,).

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            If the set lacks features (point in time), or has leads that the tables do not have (as shipped).
        """
        require_fitted(self, "counts_")
        if self.form == "point_in_time":
            return np.nan_to_num(odoo_probability(self.counts_, self._as_of(rows)))
        today = self._today()
        at = today.lead_id.get_indexer(pd.Index(rows.arrow(["lead_id"])["lead_id"].to_pandas()))
        if (at < 0).any():
            raise DataError(
                "the feature set",
                f"has {(at < 0).sum():,} rows of leads that the tables do not have",
                "give the tables that the set was built from",
            )
        leads = today.rows(at)
        chance = np.nan_to_num(odoo_probability(self.counts_, leads))
        return np.where(leads.stage == today.stages - 1, 100.0, chance)

    def _today(self) -> Today:
        assert self.tables is not None
        return read_today(self.tables, self.playbook, self.fields, self.team)

    def _as_of(self, rows: FeatureSet) -> OdooLeads:
        values = read_features(rows, self.features, self.name)
        values.columns = list(self._named)
        team = values[self.team].astype(object).where(values[self.team].notna(), None) if self.team else None
        return OdooLeads(
            values[list(self.fields)],
            np.zeros(len(values), np.int64),
            team.to_numpy(object) if team is not None else None,
        )


_TODAY_ONLY: dict[Form, tuple[str, ...]] = {"as_shipped": ("language", "owner_id"), "point_in_time": ()}
"""Columns of leads whose value as of a date is not known."""


def _default_fields(playbook: Playbook, form: Form) -> tuple[str, ...]:
    """Whatever has a few values: Odoo counts them, so numbers and times are none."""
    discrete = [n for n, a in playbook.attributes.items() if a.known != "never" and a.type in ("text", "boolean")]
    contact = [name for name in CONTACT if name not in playbook.attributes]
    return (*discrete, *contact, SOURCE, *(["language"] if form == "as_shipped" else []))


def _feature(name: str) -> Feature:
    return First(of="channel", engagement=True) if name == SOURCE else Attribute(name)
