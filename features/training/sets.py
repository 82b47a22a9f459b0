"""A training or scoring set: features, labels, and where all of it comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from touchline.features.sources import DataError
from touchline.features.tables.publish import MANIFEST
from touchline.features.training.manifest import FORMAT

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class FeatureSet:
    """Rows of (lead, as_of) with features, in order of account, lead and as_of.

    In a notebook it shows itself: rows, windows, base rate over time, immature share, what is missing.
    """

    manifest: dict[str, Any]
    """Where it comes from and what is in it: the recipe and its digest, windows, counts, features."""
    folder: Path | None = None
    """Where it lies, if it was written."""
    held: pa.Table | None = None
    """The rows, if they are in memory."""

    @classmethod
    def open(cls, folder: str | Path) -> FeatureSet:
        """Open a set that was written with `out=`.

        Raises
        ------
        DataError
            If the folder holds no set, or one of another format.
        """
        folder = Path(folder)
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            kind = manifest["kind"]
        except (OSError, ValueError, KeyError, TypeError):
            raise DataError(str(folder), "holds no feature set", "build one with `touchline build`") from None
        if manifest.get("format") != FORMAT or kind not in _KINDS:
            raise DataError(str(folder), "was written by another version of Touchline", "build it again")
        return _KINDS[kind](manifest, folder)

    def arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows in Arrow: keys, labels, features."""
        if self.held is not None:
            return self.held if columns is None else self.held.select(list(columns))
        from pyarrow import parquet

        assert self.folder is not None
        files = [self.folder / name for name in self.manifest["parts"]]
        return parquet.ParquetDataset(files).read(list(columns) if columns is not None else None)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows in pandas; categories are of type category."""
        return self.arrow().to_pandas()

    @property
    def names(self) -> list[str]:
        """The features' columns."""
        return [feature["name"] for feature in self.manifest["features"]]

    @cached_property
    def X(self) -> pd.DataFrame:  # noqa: N802  # what scikit-learn calls it
        """The features alone."""
        return self.arrow(self.names).to_pandas()

    @cached_property
    def groups(self) -> NDArray[np.object_]:
        """For each row its account, or its lead where there is none: what must stay on one side of a split."""
        keys = self.arrow(["lead_id", "account_id"]).to_pandas()
        return ("account " + keys["account_id"]).fillna("lead " + keys["lead_id"]).to_numpy(object)

    @cached_property
    def as_of(self) -> pd.Series[Any]:
        """For each row its as-of date (UTC)."""
        return self.arrow(["as_of"]).to_pandas()["as_of"]

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """The rows where `rows` (a mask of the set's length) is True, in memory; such as one side of a split."""
        kept = self.arrow().filter(rows)
        digest = hashlib.sha256(f"{self.digest} rows ".encode() + np.packbits(rows).tobytes()).hexdigest()
        return type(self)({**self.manifest, "rows": kept.num_rows, "digest": digest}, None, kept)

    def select(self, features: Sequence[str]) -> Self:
        """The same rows with these features only.

        Raises
        ------
        KeyError
            If the set has no such feature.
        """
        declared = {feature["name"]: feature for feature in self.manifest["features"]}
        kept = [declared[name] for name in features]
        digest = hashlib.sha256(" ".join([self.digest, "features", *features]).encode()).hexdigest()
        manifest = {**self.manifest, "features": kept, "digest": digest}
        if self.held is None:
            return type(self)(manifest, self.folder)
        keys = [name for name in self.held.column_names if name not in declared]
        return type(self)(manifest, None, self.held.select([*keys, *features]))

    @property
    def monotone(self) -> dict[str, int]:
        """Features that the catalogue lets count in one direction only: name -> 1 or -1, as `LeadScorer` takes it."""
        declared = ((f["name"], f["declaration"].get("monotone", 0)) for f in self.manifest["features"])
        return {name: int(direction) for name, direction in declared if direction}

    @property
    def features(self) -> pd.DataFrame:
        """One row per feature: name, family, unit, words, and the share of rows in which it is missing."""
        import pandas as pd

        return pd.DataFrame(self.manifest["features"])

    @property
    def digest(self) -> str:
        """Identity of the set: same data, playbook, catalogue and rows give the same digest, and the same numbers."""
        return str(self.manifest["digest"])

    @property
    def lineage(self) -> dict[str, Any]:
        """What it was made from: digests of data, playbook and catalogue, the rows asked for, the version."""
        return dict(self.manifest["recipe"])

    def __len__(self) -> int:
        return int(self.manifest["rows"])

    def __repr__(self) -> str:
        return f"{type(self).__name__} of {len(self):,} rows x {len(self.names)} features ({self.digest[:12]})"

    def _repr_html_(self) -> str:
        from touchline.features.training.html import show

        return show(self)


class TrainingSet(FeatureSet):
    """A feature set with labels: every row's window was over, and known, at the end of the data."""

    @cached_property
    def y(self) -> NDArray[np.bool_]:
        """For each row whether a deal was won in its window."""
        return self.arrow(["won"])["won"].to_numpy(zero_copy_only=False)

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """For each row one over the rows of its lead, so that every lead weighs the same."""
        return self.arrow(["weight"])["weight"].to_numpy()

    @cached_property
    def deals(self) -> NDArray[np.object_]:
        """For each won row which deal it was, None for others.

        Deals of one account that closed at the same instant are one: a deal is often recorded once for each person.
        """
        closed = self.arrow(["won_at"]).to_pandas()["won_at"].dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
        names = (closed + " of " + self.groups).astype(object)
        return names.where(self.y, None).to_numpy(object)

    @property
    def fit_parameters(self) -> dict[str, Any]:
        """What `LeadScorer.fit` wants beside features and labels: accounts, dates and deals.

        Not the weights: a score is given to a lead on a date, and must come true over such rows. A lead that is won
        soon has few rows, so that with a weight for each lead alike the wins of a night would be expected several times
        over.
        """
        return {"groups": self.groups, "as_of": self.as_of, "deals": self.deals}

    @property
    def base_rate(self) -> float:
        """Share of rows that were won."""
        return float(self.y.mean()) if len(self) else 0.0


class ScoringSet(FeatureSet):
    """A feature set of the leads to score, by the same code as a training set, without labels."""


_KINDS: dict[str, type[FeatureSet]] = {"training": TrainingSet, "scoring": ScoringSet}
