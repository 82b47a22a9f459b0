"""The touches that rows can stand on: read once, then account by account as whole numbers, beside what names them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from touchline.features.engines.facts import touches_query
from touchline.features.engines.prepare import Prepared
from touchline.features.kernel.plan import DAY
from touchline.features.kernel.program import I64
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

NAMED = ("touch_id", "lead_id", "occurred_at", "known_at", "kind", "channel", "campaign", "asset", "topic", "direction",
         "machine")  # fmt: skip
"""What people see of a touch."""


class Touches(NamedTuple):
    """Touches of whole accounts, in order of account, the latest first; one entry each but in `names` and `size`."""

    account: I64
    """Number of the account."""
    lead: I64
    """Number of the lead."""
    occurred: I64
    """Microseconds UTC."""
    entered: I64
    """When it had happened and was known."""
    fact_class: I64
    value: I64
    """In millionths."""
    names: I64
    """dimensions x touches: code of the name in each dimension, -1 where it has none; names in order."""
    size: int
    """Codes are less than this."""


def create_traced(w: Workspace, tables: Tables, prepared: Prepared) -> None:
    """Create `traced`: the touches of all numbered leads that the catalogue looks at, in order of account.

    `tie` puts touches of one lead and instant in an order that is the same every time.
    """
    numbers = ["lead_no", "occurred", "entered", "class", *["value"] * prepared.lowered.needs_values]
    columns = [*numbers, *(f"code_{d}" for d in prepared.brought), "account_no", "tie", *NAMED]
    beside = ["n.group_no", "(hash(t.touch_id, t.known_at) >> 1)::BIGINT", *(f"t.{name}" for name in NAMED)]
    query = touches_query(tables, prepared, (0, len(prepared.group)), beside=beside)
    w.con.execute(
        f"CREATE OR REPLACE TEMP TABLE traced AS FROM ({query}) touches({', '.join(columns)}) ORDER BY account_no"
    )


def read_touches(
    w: Workspace, prepared: Prepared, dimensions: tuple[str, ...], accounts: I64
) -> tuple[Touches, pa.Table, I64]:
    """All touches of some accounts, given by their numbers in order.

    Returns
    -------
    tuple
        The touches as numbers; as people see them, in any order; and for each of the former its row in the latter.
    """
    w.con.register("asked_accounts", pa.table({"account_no": pa.array(accounts)}))
    first, last = (int(accounts[0]), int(accounts[-1])) if len(accounts) else (0, -1)
    found = w.con.sql(
        f"SELECT * FROM traced SEMI JOIN asked_accounts USING (account_no) WHERE account_no BETWEEN {first} AND {last}"
    ).to_arrow_table()
    w.con.unregister("asked_accounts")
    keys = [found[name].to_numpy() for name in ("tie", "lead_no", "occurred", "account_no")]
    turn = np.lexsort((keys[0], keys[1], -keys[2], keys[3]))  # numbers move, names only where they are asked for

    def whole(name: str) -> I64:
        return found[name].to_numpy()[turn].astype(np.int64)

    account, lead, occurred, fact_class = whole("account_no"), whole("lead_no"), whole("occurred"), whole("class")
    names = np.empty((len(dimensions), len(found)), np.int64)
    for i, dimension in enumerate(dimensions):
        if dimension in prepared.brought:
            names[i] = whole(f"code_{dimension}")
        elif dimension == "day":
            names[i] = occurred // DAY - occurred.min(initial=0) // DAY
        elif dimension == "person":
            names[i] = lead - np.searchsorted(prepared.group, account)
        else:
            names[i] = _codes_of_classes(prepared, dimension)[fact_class]
    value = whole("value") if prepared.lowered.needs_values else np.zeros(len(found), np.int64)
    size = int(names.max(initial=0)) + 1
    touches = Touches(account, lead, occurred, whole("entered"), fact_class, value, names, size)
    return touches, found.select(NAMED), turn


def _codes_of_classes(prepared: Prepared, dimension: str) -> I64:
    """For each class the code of its kind, channel or topic; -1 if it has none."""
    number = {name: code for code, name in enumerate(prepared.names[dimension])}
    return np.array([number.get(getattr(c, dimension) or "", -1) for c in prepared.classes.all], np.int64)
