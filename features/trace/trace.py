"""From amounts of features to amounts of touches: prepared once for all rows, then chunk after chunk."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from touchline.features.catalog import Catalog
from touchline.features.engines.prepare import prepare
from touchline.features.kernel.program import F64, I64
from touchline.features.snapshots.draw import open_leads
from touchline.features.snapshots.given import draw_given, given_rows
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace, connect
from touchline.features.trace.apportioned import Apportioned
from touchline.features.trace.rules import bind_rules
from touchline.features.trace.touches import create_traced, read_touches
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd


class Trace:
    """The touches that features of some rows stand on.

    A context manager: it holds the touches of the rows' accounts in a scratch folder of its own.

    Parameters
    ----------
    tables
        The canonical tables that the features were computed from.
    playbook
        The playbook they were computed with.
    catalog
        The features, in the order of the amounts' columns.
    rows
        All rows that will be asked about: a frame of `lead_id` and `as_of`, each once. In the order of a feature set
        (by account and lead) each chunk's touches stand together, and are read without looking at others.
    memory
        What DuckDB may use; beyond it data goes to disk.

    Raises
    ------
    DataError
        If rows name leads that do not exist, have no instant with a zone, or are there twice.

    Examples
    --------
    >>> with Trace(tables, playbook, catalog, scores.arrow(["lead_id", "as_of"])) as trace:  # doctest: +SKIP
    ...     touches = trace.apportion(contributions[:10_000]).top(3)
    ...     touches = trace.apportion(contributions[10_000:20_000], start=10_000).top(3)
    """

    def __init__(
        self,
        tables: Tables,
        playbook: Playbook,
        catalog: Catalog,
        rows: pd.DataFrame | pa.Table,
        *,
        memory: str = "1GB",
    ) -> None:
        given = given_rows(rows)
        self._scratch = tempfile.TemporaryDirectory(prefix="touchline-")
        folder = Path(self._scratch.name)
        self._w = Workspace(connect(folder, memory), playbook, folder, datetime.now(UTC), lambda step: None)
        try:
            self._prepare(tables, catalog, given)
        except BaseException:
            self.close()
            raise

    def _prepare(self, tables: Tables, catalog: Catalog, given: pa.Table) -> None:
        w = self._w
        open_leads(w, tables)
        draw_given(w, given)
        w.con.execute("CREATE OR REPLACE TEMP VIEW snapshots AS FROM drawn")
        self._prepared = prepare(w, tables, catalog)
        self._rules, self._dimensions = bind_rules(catalog, self._prepared.classes)
        self._features = len(catalog)
        create_traced(w, tables, self._prepared)
        numbers = w.con.sql("SELECT lead_id, lead_no FROM numbered").to_arrow_table()
        number = numbers["lead_no"].to_numpy()
        self._lead: I64 = number[pc.index_in(given["lead_id"], numbers["lead_id"]).to_numpy()].astype(np.int64)
        self._as_of: I64 = given["as_of"].to_numpy().astype(np.int64)

    def apportion(self, amounts: F64, *, start: int = 0, groups: I64 | None = None) -> Apportioned:
        """Lay each row's amounts to the touches that its features stand on; `touchline.features.trace.rules` says how.

        Only touches that the features counted get anything: those that had happened and were known before as_of.

        Parameters
        ----------
        amounts
            Matrix of shape (rows of this chunk, features): such as contributions to the log-odds.
        start
            Which of all rows the chunk begins with.
        groups
            For each feature the number of its group (from 0), such as a family: a touch then has an amount in each
            group. By default all are one group.

        Returns
        -------
        Apportioned
            Of each row and group, the amounts, `untraced` and `rest` add up to what was given.

        Raises
        ------
        ValueError
            If the shapes do not fit, or an amount is not finite.
        """
        from touchline.features.trace.lay import Asked, lay

        amounts = np.ascontiguousarray(amounts, np.float64)
        group = np.zeros(self._features, np.int64) if groups is None else np.asarray(groups, np.int64)
        self._refuse(amounts, start, group)
        chunk = slice(start, start + len(amounts))
        lead, as_of = self._lead[chunk], self._as_of[chunk]
        account = self._prepared.group[lead].astype(np.int64)
        touches, named, turn = read_touches(self._w, self._prepared, self._dimensions, np.unique(account))
        begin, end = (np.searchsorted(touches.account, account, side).astype(np.int64) for side in ("left", "right"))
        untraced = np.zeros((len(amounts), int(group.max(initial=0)) + 1))
        asked = Asked(begin, end, lead, as_of, amounts, group)
        laid = lay(self._rules, touches, asked, int((end - begin).max(initial=0)), untraced)
        used = np.zeros(len(named), bool)
        used[laid.touch] = True
        return Apportioned(
            row=laid.row,
            group=laid.group,
            touch=(np.cumsum(used) - 1)[laid.touch],
            amount=laid.amount,
            touches=named.take(turn[used]),
            untraced=untraced,
            rest=np.zeros_like(untraced),
        )

    def _refuse(self, amounts: F64, start: int, group: I64) -> None:
        if amounts.ndim != 2 or amounts.shape[1] != self._features:
            raise ValueError(f"amounts must have shape (rows, {self._features} features), not {amounts.shape}")
        if not 0 <= start <= start + len(amounts) <= len(self._lead):
            raise ValueError(
                f"rows {start} to {start + len(amounts)} are not among the {len(self._lead)} that the trace is made for"
            )
        if group.shape != (self._features,) or group.min(initial=0) < 0:
            raise ValueError(f"groups must be {self._features} numbers from 0, one for each feature")
        if not np.isfinite(amounts).all():
            raise ValueError("amounts must be finite; explain the rows again, or leave those out")

    def close(self) -> None:
        """Let go of the scratch folder."""
        self._w.con.close()
        self._scratch.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
