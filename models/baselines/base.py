"""What every baseline has in common: its name, the features it needs, fitting, scoring, and whether it cheats."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from touchline.features import DataError, FeatureSet, TrainingSet

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from touchline.features.catalog import Feature


class Baseline(Protocol):
    """A way to rank leads that people use today, in the shape in which it stands beside a model."""

    @property
    def name(self) -> str:
        """What tables and charts call it."""
        ...

    @property
    def features(self) -> tuple[Feature, ...]:
        """What it reads of a set; `Catalog.default(playbook).add(*baseline.features)` holds them all."""
        ...

    @property
    def leaks(self) -> str | None:
        """Why its figures must not be believed; nothing if it is honest."""
        ...

    def fit(self, training: TrainingSet) -> Self:
        """Learn what there is to learn; hand-made baselines learn nothing."""
        ...

    def score(self, rows: FeatureSet) -> NDArray[np.float64]:
        """One number for each of n rows, shape (n,), never missing; higher is better."""
        ...


def read_features(rows: FeatureSet, features: Sequence[Feature], wanted_by: str) -> pd.DataFrame:
    """The columns of `rows` that hold these features, under the features' own names.

    A column is recognised by its declaration and not by its name, so that neither another name nor another family in
    the user's catalogue matters.

    Parameters
    ----------
    rows
        A set of n rows.
    features
        The features wanted.
    wanted_by
        Who wants them, for the message.

    Returns
    -------
    DataFrame
        n rows, one column per feature, in the order asked for.

    Raises
    ------
    DataError
        If the set was built without some of them; it names these.
    """
    held = {_identity(feature["declaration"]): feature["name"] for feature in rows.manifest["features"]}
    columns = [held.get(_identity(feature.to_dict())) for feature in features]
    found = [column for column in columns if column is not None]
    if len(found) < len(columns):
        lacking = [f.name for f, column in zip(features, columns, strict=True) if column is None]
        raise DataError(
            "the feature set",
            f"lacks {len(lacking)} of the {len(features)} features that {wanted_by} needs: {', '.join(lacking)}",
            "build it with `catalog=Catalog.default(playbook).add(*baseline.features)`",
        )
    frame = rows.arrow(["lead_id", *dict.fromkeys(found)]).to_pandas()[found]
    frame.columns = [feature.name for feature in features]
    return frame


def _identity(declaration: dict[str, Any]) -> str:
    """What a feature is, apart from how it is called and which family it belongs to."""
    kept = {key: value for key, value in declaration.items() if key not in ("name", "family")}
    return json.dumps(kept, sort_keys=True)


def require_fitted(baseline: Baseline, attribute: str) -> None:
    """Raise scikit-learn's NotFittedError unless `fit` has set an attribute."""
    if not hasattr(baseline, attribute):
        from sklearn.exceptions import NotFittedError

        raise NotFittedError(f"{baseline.name} has not learned anything yet; call `fit` with a training set first")
