"""The rows of a set: keys and labels from the snapshots, what is fixed from leads and accounts, the rest computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from touchline.features.catalog import Age, Attribute, Calendar
from touchline.features.engines.prepare import Prepared
from touchline.features.kernel import Column, Computed
from touchline.features.sources.sql import column, text
from touchline.features.tables import Tables

if TYPE_CHECKING:
    from touchline.playbook import Playbook

_DAY = 86_400_000_000


def rows_query(tables: Tables, playbook: Playbook, prepared: Prepared, leads: tuple[int, int] | None) -> str:
    """SQL for the rows of some leads (or all), in order of lead and as_of, with all that is fixed.

    Columns: lead_no, as_of (microseconds), keys and labels, created (microseconds), and `fixed_i` for the i-th column
    of the catalogue where that is an attribute fixed at creation. An account's attributes are missing until the account
    is known.
    """
    fixed: list[str] = []
    for i, c in enumerate(prepared.lowered.columns):
        if c.place == "static" and isinstance(c.feature, Attribute):
            declared = playbook.attributes.get(c.feature.attribute)
            value = f"{'a' if declared and declared.table == 'accounts' else 'l'}.{column(c.feature.attribute)}"
            if c.value_type == "time":
                value = f"epoch_us({value})"
            if value.startswith(("a.", "epoch_us(a.")):
                value = f"CASE WHEN epoch_us(a.known_at) < s.as_of THEN {value} END"
            fixed.append(f", {value} AS fixed_{i}")
    accounts = f"read_parquet({text(tables.file('accounts'))})"
    between = f"WHERE n.lead_no >= {leads[0]} AND n.lead_no < {leads[1]} " if leads else ""
    return (
        "SELECT n.lead_no, s.as_of, s.lead_id, n.account_id, s.status, s.won_at, s.deal_id, s.amount, "
        f"1.0 / count(*) OVER (PARTITION BY s.lead_id) AS weight, epoch_us(l.created_at) AS created{''.join(fixed)} "
        "FROM snapshots s JOIN numbered n USING (lead_id) JOIN leads l USING (lead_id) "
        f"LEFT JOIN {accounts} a ON a.account_id = n.account_id {between}ORDER BY n.lead_no, s.as_of"
    )


def assemble(rows: pa.Table, computed: Computed, prepared: Prepared, *, labels: bool) -> pa.Table:
    """Keys, labels (if wanted), and the features in the catalogue's order."""
    columns: dict[str, Any] = {
        "lead_id": rows["lead_id"],
        "account_id": rows["account_id"],
        "as_of": pa.array(rows["as_of"].to_numpy(), pa.timestamp("us", "UTC")),
    }
    if labels:
        columns["status"] = rows["status"]
        columns["won"] = pc.equal(rows["status"], "won")
        columns["weight"] = rows["weight"].cast(pa.float64())
        columns["won_at"] = rows["won_at"].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        columns["deal_id"] = rows["deal_id"]
        columns["amount"] = rows["amount"].cast(pa.float64())
    for i, c in enumerate(prepared.lowered.columns):
        if c.place == "number":
            columns[c.feature.name] = pa.array(computed.numbers[c.at])
        elif c.place == "code":
            columns[c.feature.name] = _named(c, computed.codes[c.at], rows, prepared)
        else:
            columns[c.feature.name] = _fixed(c, i, rows, prepared)
    return pa.table(columns)


def _named(c: Column, codes: NDArray[np.int32], rows: pa.Table, prepared: Prepared) -> pa.Array:
    """The values that codes stand for."""
    names = prepared.names[c.dimension]
    missing = (codes < 0) | (codes >= len(names))
    if c.value_type == "text":
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(names, pa.string()))
    read = _readers()[c.value_type]
    values = np.array([*(read(name) for name in names), np.nan])
    found = values[np.where(missing, len(names), codes)]
    if c.value_type == "time":
        found = (rows["as_of"].to_numpy() - found) / _DAY
    return pa.array(found.astype(np.float32))


def _readers() -> dict[str, Callable[[str], float]]:
    return {"number": _number, "boolean": _boolean, "time": _time}


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return np.nan


def _boolean(value: str) -> float:
    return {"true": 1.0, "1": 1.0, "yes": 1.0, "oui": 1.0, "false": 0.0, "0": 0.0, "no": 0.0, "non": 0.0}.get(
        value.strip().lower(), np.nan
    )


def _time(value: str) -> float:
    try:
        return float(
            np.datetime64(value.replace(" ", "T").removesuffix("Z").removesuffix("+00"), "us").astype(np.int64)
        )
    except ValueError:
        return np.nan


def _fixed(c: Column, i: int, rows: pa.Table, prepared: Prepared) -> pa.Array:
    as_of = rows["as_of"].to_numpy()
    if isinstance(c.feature, Age):
        return pa.array(((as_of - rows["created"].to_numpy()) / _DAY).astype(np.float32))
    if isinstance(c.feature, Calendar):
        return pa.array(_calendar(c.feature.part, as_of))
    assert isinstance(c.feature, Attribute)
    values = rows[f"fixed_{i}"].combine_chunks()
    if c.value_type == "text":
        categories = pa.array(prepared.categories[c.feature.attribute], pa.string())
        return pa.DictionaryArray.from_arrays(pc.index_in(values.cast(pa.string()), categories), categories)
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if c.value_type == "time":
        numbers = (as_of - numbers) / _DAY
    return pa.array(numbers.astype(np.float32))


def _calendar(part: str, as_of: NDArray[np.int64]) -> NDArray[np.float32]:
    days = as_of.astype("datetime64[us]").astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    number = months.astype(np.int64)
    quarter = (number - number % 3).astype("datetime64[M]").astype("datetime64[D]")
    found = {
        "day_of_week": lambda: (days.astype(np.int64) + 3) % 7 + 1,
        "month": lambda: number % 12 + 1,
        "week_of_quarter": lambda: (days - quarter).astype(np.int64) // 7 + 1,
        "days_to_quarter_end": lambda: ((quarter.astype("datetime64[M]") + 3).astype("datetime64[D]") - days).astype(
            np.int64
        ),
    }[part]()
    return found.astype(np.float32)
