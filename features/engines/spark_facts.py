"""The facts, as Spark frames of whole numbers: what `facts.py` says in DuckDB's SQL.

Built of columns, not of SQL text, so that no setting of the user's session changes what is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from touchline.features.engines.prepare import Prepared
from touchline.features.engines.stream import fact_columns
from touchline.features.kernel.program import I64
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_BROADCAST = 500_000
"""Up to so many leads their numbers are sent to every executor, so that facts need not move to meet them."""


@dataclass(frozen=True)
class SparkFacts:
    """The facts in Spark: what `facts.py` says in DuckDB's SQL, with nothing in it that hangs on the session."""

    session: SparkSession
    w: Workspace
    tables: Tables
    folder: str
    prepared: Prepared
    border: I64
    """Head i is of leads `border[i]` to `border[i + 1]`; of other leads nothing is read."""

    def all(self) -> list[DataFrame]:
        """Frames of the columns of a stream, for all tables that some feature looks at."""
        used = {c.table for c in self.prepared.classes.all}
        parts = {"touches": self._touches, "stages": self._stages, "changes": self._changes}
        return [frame for table, frames in parts.items() if table in used for frame in frames()]

    def _touches(self) -> list[DataFrame]:
        from pyspark.sql import functions as f

        t, n, c = self._read("touches"), self._leads, self._classes("touches")
        same = (c["kind"] == t["kind"]) & (c["machine"] == t["machine"]) & (c["copied"] == t["merged_from"].isNotNull())
        for name in self.prepared.classes.told_apart:
            same &= c[name] == f.coalesce(t[name], f.lit(""))
        facts = t.join(n, n["lead"] == t["lead_id"]).join(c, same)
        given = {"value": f.coalesce(f.round(t["value"] * 1e6), f.lit(0.0)).cast("bigint")}
        for d in self.prepared.brought:
            if d != "changed_value":
                names = self._small(f"SELECT name, code FROM names_{d}")
                facts = facts.join(names, names["name"] == t[d], "left")
                given[d] = f.coalesce(names["code"], f.lit(-1))
        occurred = f.unix_micros(t["occurred_at"])
        entered = f.greatest(occurred, f.unix_micros(t["known_at"]), n["known"])
        return [self._numbers(facts, occurred, entered, given)]

    def _stages(self) -> list[DataFrame]:
        from pyspark.sql import functions as f

        t, n, c = self._read("stages"), self._leads, self._classes("stages")
        same = (c["kind"] == t["stage"]) & (c["copied"] == t["merged_from"].isNotNull())
        facts = t.join(n, n["lead"] == t["lead_id"]).join(c, same)
        occurred = f.unix_micros(t["entered_at"])
        entered = f.greatest(occurred, f.unix_micros(t["known_at"]), n["known"])
        return [self._numbers(facts, occurred, entered, {})]

    def _changes(self) -> list[DataFrame]:
        """Changes of leads; and those of accounts, each laid to the account's first lead."""
        from pyspark.sql import functions as f

        t, n, c = self._read("changes"), self._leads, self._classes("changes")
        facts, given = t.join(c, c["kind"] == t["field"]), {}
        if "changed_value" in self.prepared.brought:
            names = self._small("SELECT name, code FROM names_changed_value")
            facts = facts.join(names, names["name"] == t["value"], "left")
            cleared = len(self.prepared.names["changed_value"])  # the code of a value that was taken away
            given = {"changed_value": f.coalesce(names["code"], f.lit(cleared))}
        first = self._placed(
            "SELECT account_id AS account, min(lead_no)::BIGINT AS lead_no FROM numbered "
            "WHERE account_id IS NOT NULL GROUP BY account_id"
        )
        known = f.unix_micros(t["known_at"])
        of_lead = facts.where(~c["of_account"] & t["merged_from"].isNull()).join(n, n["lead"] == t["lead_id"])
        of_account = facts.where(c["of_account"]).join(first, first["account"] == t["account_id"])
        return [
            self._numbers(of_lead, known, f.greatest(known, n["known"]), given),
            self._numbers(of_account, known, known, given),
        ]

    def _numbers(self, facts: DataFrame, occurred: Column, entered: Column, given: dict[str, Column]) -> DataFrame:
        from pyspark.sql import functions as f

        given = {
            "lead_no": f.col("lead_no"),
            "occurred": occurred,
            "entered": entered,
            "class": f.col("class"),
            **given,
        }
        rest = {"value": f.lit(0)}  # of other columns -1: they are codes
        columns = [given.get(name, rest.get(name, f.lit(-1))) for name in fact_columns(self.prepared)]
        named = [c.cast("bigint").alias(name) for name, c in zip(fact_columns(self.prepared), columns, strict=True)]
        head = f.lit(None).cast("binary").alias("head")
        return facts.where(entered < self.prepared.known_before).select(*named, "head_no", head)

    def _read(self, table: str) -> DataFrame:
        reader = self.session.read.option("datetimeRebaseMode", "CORRECTED")
        return reader.parquet(f"{self.folder}/{self.tables.file(table).name}")

    def _classes(self, source: str) -> DataFrame:
        return self._small(f"SELECT * FROM class_numbers WHERE source = '{source}'")

    @cached_property
    def _leads(self) -> DataFrame:
        return self._placed("SELECT lead_id AS lead, known, lead_no::BIGINT AS lead_no FROM numbered")

    def _placed(self, query: str) -> DataFrame:
        """A table with the `head_no` of each `lead_no`, of leads that have one."""
        found = self.w.con.sql(query).to_arrow_table()
        head = np.searchsorted(self.border, found["lead_no"].to_numpy(), side="right") - 1
        known = (head >= 0) & (head < len(self.border) - 1)
        return self._sent(found.append_column("head_no", pa.array(head)).filter(pa.array(known)))

    def _small(self, query: str) -> DataFrame:
        return self._sent(self.w.con.sql(query).to_arrow_table())

    def _sent(self, table: pa.Table) -> DataFrame:
        from pyspark.sql import functions as f

        frame = self.session.createDataFrame(table)
        return f.broadcast(frame) if table.num_rows <= _BROADCAST else frame
