"""Reading canonical tables back, in notebooks and in every later step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.features.sources import DataError
from touchline.features.tables.publish import FORMAT, MANIFEST, sha256_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Tables:
    """The seven canonical tables of a folder that `check_tables` wrote.

    >>> tables = Tables.open("demo/tables")           # doctest: +SKIP
    >>> tables.frame("deals")["outcome"].value_counts()  # doctest: +SKIP
    """

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> Tables:
        """Open a folder.

        Raises
        ------
        DataError
            If the folder holds no tables, or tables of another format.
        """
        folder = Path(folder)
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            tables, result = manifest["tables"], manifest["result"]
            complete = isinstance(tables, dict) and isinstance(result, dict)
        except (OSError, ValueError, KeyError, TypeError):
            complete, manifest = False, {}
        if not complete:
            raise DataError(str(folder), "holds no checked tables", "write them with `touchline check --out FOLDER`")
        if manifest.get("format") != FORMAT:
            raise DataError(str(folder), "was written by another version of Touchline", "run `touchline check` again")
        if not manifest["tables"]:
            raise DataError(
                str(folder), "was refused: too many rows are bad", "look at its quarantine.parquet, and check again"
            )
        return cls(folder, manifest)

    @property
    def digest(self) -> str:
        """Identity of the data (see `CheckResult.data_digest`)."""
        return str(self.manifest["result"]["data_digest"])

    def file(self, name: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / self.manifest["tables"][name]["file"]

    def rows(self, name: str) -> int:
        """Number of rows of a table."""
        return int(self.manifest["tables"][name]["rows"])

    def arrow(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """A table in Arrow; times are UTC instants."""
        from pyarrow import parquet

        return parquet.read_table(self.file(name), columns=columns)

    def frame(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """A table in pandas."""
        return self.arrow(name, columns).to_pandas()

    def verify(self) -> None:
        """Compare every file with its recorded SHA-256.

        Raises
        ------
        DataError
            If a file was changed or damaged since it was written.
        """
        for name, entry in self.manifest["tables"].items():
            if sha256_of(self.file(name)) != entry["sha256"]:
                raise DataError(str(self.file(name)), "is not the file that was written", "run `touchline check` again")
