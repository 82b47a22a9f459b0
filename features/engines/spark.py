"""The Spark engine: whole accounts are brought to the same kernel by a cluster, for the same bits.

Spark reads the facts, brings those of an account together and sorts them by lead; its Python workers run the kernel on
what passes by, a block of accounts at a time. Rows travel with the facts, packed: before the facts of some accounts
stands their head (see `stream.py`). So Spark itself handles whole numbers only; no setting of the session matters, and
none is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa

from touchline.features.engines.local import LocalEngine
from touchline.features.engines.prepare import Prepared
from touchline.features.engines.rows import assemble, rows_query
from touchline.features.engines.spark_facts import SparkFacts
from touchline.features.engines.stream import Compute, borders, heads, unpack
from touchline.features.kernel import Computed
from touchline.features.kernel.program import I64
from touchline.features.sources import DataError
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_WORK = 500_000
"""What a partition of Spark's holds by default: facts, and four times its rows."""


class SparkEngine:
    """Computes on a Spark cluster.

    The folder of the tables must be readable by this process and by all executors, and the executors' Python
    (`PYSPARK_PYTHON`) must have this version of Touchline. Snapshots are drawn by this process, and the rows come
    back to it part by part. A set that is too large for that stays in Spark: see `frame`.

    Parameters
    ----------
    session
        A Spark session of version 4.0 or later. Its settings stay as they are.
    partitions
        Spark's partitions of one part; by default as many as the data asks for.
    memory
        Bytes that the features of a part may take here. Each part is a job of Spark's, and reads the facts.
    tables_at
        Where Spark finds the folder of the tables if not under the path it has here, such as `s3a://bucket/tables`.

    Raises
    ------
    ImportError
        If PySpark is not installed.
    """

    name = "spark"

    def __init__(
        self,
        session: SparkSession,
        *,
        partitions: int | None = None,
        memory: int = 1 << 30,
        tables_at: str | None = None,
    ) -> None:
        try:
            import pyspark.sql.functions  # noqa: F401  # pyright: ignore[reportUnusedImport]
        except ImportError:
            raise ImportError('the Spark engine needs PySpark: pip install "touchline[spark]"') from None
        self.session = session
        self.partitions = partitions
        self.memory = memory
        self.tables_at = tables_at

    def edges(self, w: Workspace, tables: Tables, prepared: Prepared) -> I64:
        """Where parts begin and end, in leads; the same for the same data and settings."""
        size = 2 * 4 * len(prepared.lowered.columns) * w.count("SELECT count(*) FROM snapshots")
        return LocalEngine(partitions=max(1, -(-size // self.memory))).edges(w, tables, prepared)

    def run(
        self,
        w: Workspace,
        tables: Tables,
        prepared: Prepared,
        *,
        labels: bool,
        done: Callable[[int], bool] = lambda part: False,
    ) -> Iterator[tuple[int, pa.Table]]:
        """Compute part after part; those that are `done` are left out.

        Yields
        ------
        tuple
            Number of the part, and its rows.

        Raises
        ------
        DataError
            If executors cannot read the tables, or cannot run Touchline.
        """
        edges = self.edges(w, tables, prepared)
        for p in range(len(edges) - 1):
            if not done(p):
                with _told(tables):
                    stream = self._stream(w, tables, prepared, (int(edges[p]), int(edges[p + 1])))
                    w.progress(f"computing part {p + 1} of {len(edges) - 1} on Spark")
                    packed = stream.mapInArrow(_compute(prepared, labels=labels).packed, "first bigint, rows binary")
                    found = packed.toArrow()
                cuts = [unpack(found["rows"][int(i)].as_buffer()) for i in np.argsort(found["first"].to_numpy())]
                yield p, pa.concat_tables(cuts).unify_dictionaries().combine_chunks()

    def frame(self, build: Callable[..., _Built], *asked: Any, **more: Any) -> SparkFeatures:
        """The set that a function would build, left in Spark: nothing is collected, and nothing computed until used.

        >>> made = SparkEngine(spark).frame(build_training_set, "tables", playbook)  # doctest: +SKIP
        >>> made.frame.write.parquet("features")  # doctest: +SKIP

        Parameters
        ----------
        build
            `build_training_set` or `build_scoring_set`.
        asked, more
            What it takes, but for `engine` and `out`.
        """
        if {"engine", "out"} & set(more):
            raise TypeError("a set that stays in Spark takes no `engine` and no `out`; write it with `.frame.write`")
        lazy = _Lazy(self)
        manifest = build(*asked, engine=lazy, **more).manifest
        for feature in manifest["features"]:
            del feature["missing"]  # nobody has counted
        assert lazy.frame is not None
        return SparkFeatures(lazy.frame, manifest)

    def features(self, w: Workspace, tables: Tables, prepared: Prepared, *, labels: bool) -> tuple[DataFrame, pa.Table]:
        """All rows in Spark, not computed yet; and the table without rows that `run` would give."""
        rows = w.con.sql(rows_query(tables, w.playbook, prepared, (0, 0))).to_arrow_table()
        lowered = prepared.lowered
        nothing = Computed(np.empty((lowered.numbers, 0), np.float32), np.empty((lowered.codes, 0), np.int32))
        empty = assemble(rows, nothing, prepared, labels=labels)
        with _told(tables):
            stream = self._stream(w, tables, prepared, (0, len(prepared.group)))
            return stream.mapInArrow(_compute(prepared, labels=labels).plain, _spark_schema(empty.schema)), empty

    def _stream(self, w: Workspace, tables: Tables, prepared: Prepared, leads: tuple[int, int]) -> DataFrame:
        """Heads and facts of some leads: what belongs to a head in one partition, and sorted by lead."""
        facts = sum(tables.rows(name) for name in {c.table for c in prepared.classes.all})
        work = facts + 4 * w.count("SELECT count(*) FROM snapshots")
        count = self.partitions or -(-work * (leads[1] - leads[0]) // len(prepared.group) // _WORK)
        border = borders(prepared, work)
        border = np.unique([leads[0], *border[(border > leads[0]) & (border < leads[1])], leads[1]])
        rows = w.con.sql(rows_query(tables, w.playbook, prepared, leads)).to_arrow_reader(1 << 16)
        stream = self.session.createDataFrame(heads(rows, prepared, border))
        folder = self.tables_at or f"file://{_literal(str(tables.folder.resolve()))}"
        for facts in SparkFacts(self.session, w, tables, folder, prepared, border).all():
            stream = stream.unionByName(facts)
        return stream.repartition(count, "head_no").sortWithinPartitions("lead_no", "class").drop("head_no")


@dataclass(frozen=True)
class SparkFeatures:
    """A set that stays in Spark."""

    frame: DataFrame
    """Keys, labels and features, in no particular order; categories are text, missing numbers NaN."""
    manifest: dict[str, Any]
    """As of a set that is collected, but for how often each feature is missing."""


class _Built(Protocol):
    @property
    def manifest(self) -> dict[str, Any]: ...


class _Lazy:
    """An engine that leaves everything in Spark."""

    name = SparkEngine.name

    def __init__(self, engine: SparkEngine) -> None:
        self.edges = engine.edges
        self.engine = engine
        self.frame: DataFrame | None = None

    def run(
        self, w: Workspace, tables: Tables, prepared: Prepared, *, labels: bool, done: object = None
    ) -> Iterator[tuple[int, pa.Table]]:
        del done
        self.frame, empty = self.engine.features(w, tables, prepared, labels=labels)
        yield 0, empty


def _compute(prepared: Prepared, *, labels: bool) -> Compute:
    """What workers are sent; accounts come with the heads."""
    return Compute(replace(prepared, group=prepared.group[:0]), labels)


def _spark_schema(schema: pa.Schema) -> str:
    names = {"bool": "boolean", "float": "float", "double": "double", "timestamp[us, tz=UTC]": "timestamp"}
    return ", ".join(f"`{f.name.replace('`', '``')}` {names.get(str(f.type), 'string')}" for f in schema)


def _literal(path: str) -> str:
    """A path in which nothing stands for something else."""
    return re.sub(r"([\\{}\[\]*?])", r"\\\1", path)


@contextmanager
def _told(tables: Tables) -> Generator[None]:
    """Say in a line what to do about what Spark says in two hundred."""
    try:
        yield
    except Exception as error:
        said = str(error)
        for signs, wrong, fix in _TROUBLE:
            if any(sign in said for sign in signs):
                raise DataError("Spark's executors", wrong.format(tables.folder), fix) from error
        raise


_TROUBLE = (
    (
        ("FILE_NOT_EXIST", "FileNotFoundException", "PATH_NOT_FOUND", "AccessControlException", "Permission denied"),
        "cannot read the tables in {}",
        "put them where all machines see them under this path, or say where with `SparkEngine(tables_at=…)`",
    ),
    (
        ("No module named 'touchline",),
        "have a Python without Touchline",
        "install this version of it there, and set PYSPARK_PYTHON to that Python before the session starts",
    ),
    (
        ("cannot cache function",),
        "have no folder to keep compiled code in",
        "start the session with `spark.executorEnv.NUMBA_CACHE_DIR`, a folder that they may write to",
    ),
)
"""What is looked for in Spark's words, what is wrong, and what to do."""
