"""Checks by experiment: the proofs on a sample of the tables, and the set built again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from touchline.features.audit import limits
from touchline.features.audit.bits import Changed, differing
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, found
from touchline.features.audit.proof import PoisonResult, future_poison
from touchline.features.audit.sample import EPOCH, Copy
from touchline.features.catalog import Catalog
from touchline.features.training import build_scoring_set

if TYPE_CHECKING:
    import pyarrow as pa

_DATES = 3
"""As-of dates of the set that are built again."""


def check_poison(case: Case) -> Iterator[Finding]:
    """FUTURE_POISON, TRUNCATION, DEAD_PIPELINE."""
    result = future_poison(
        case.tables,
        case.playbook,
        catalog=case.catalog,
        sample_leads=case.sample_leads,
        seed=case.seed,
        progress=case.w.progress,
    )
    yield from _poisoned(result)
    yield from _truncated(result)
    yield from _alive(result)


def _poisoned(result: PoisonResult) -> Iterator[Finding]:
    if result.members:
        told = f"who is scored depends on facts not known at as_of: {', '.join(result.members)}"
        yield found(Code.FUTURE_POISON, "block", "rows", told, {"kinds_of_poison": len(result.members)})
    for name, kinds in list(result.changed.items())[: limits.NAMED]:
        told = f"changed by facts not known at as_of: {', '.join(kinds)}"
        yield found(Code.FUTURE_POISON, "block", name, told, {"share_of_rows": result.shares[name]})
    if (rest := len(result.changed) - limits.NAMED) > 0:
        told = f"{rest} further features likewise"
        yield found(Code.FUTURE_POISON, "block", "further features", told, {"features": rest})
    if not result.changed and not result.members:
        planted = sum(result.planted.values())
        told = f"{planted:,} absurd facts of {len(result.planted)} kinds changed none of {result.compared:,} values"
        yield found(Code.FUTURE_POISON, "ok", "features", told, _looked_at(result) | {"facts": planted})


def _truncated(result: PoisonResult) -> Iterator[Finding]:
    for name, share in list(result.truncation.items())[: limits.NAMED]:
        told = f"differs in {share:.1%} of rows once all is deleted that was not known at as_of"
        yield found(Code.TRUNCATION, "block", name, told, {"share_of_rows": share})
    if (rest := len(result.truncation) - limits.NAMED) > 0:
        told = f"{rest} further features likewise"
        yield found(Code.TRUNCATION, "block", "further features", told, {"features": rest})
    if not result.truncation:
        told = "deleting all that was not known at as_of changed nothing"
        yield found(Code.TRUNCATION, "ok", "features", told, _looked_at(result))


def _alive(result: PoisonResult) -> Iterator[Finding]:
    figures: Figures = {"features": result.features, "moved": len(result.moved), "deaf_kinds": len(result.deaf)}
    for table in result.dead:
        told = f"ordinary facts of {table} just before as_of changed no feature"
        yield found(Code.DEAD_PIPELINE, "block", table, told, figures)
    for kind in result.deaf:
        told = "no feature changed with such a touch just before as_of"
        yield found(Code.DEAD_PIPELINE, "note", kind, told, figures)
    if not result.dead:
        told = f"ordinary facts just before as_of changed {len(result.moved)} of {result.features} features"
        yield found(Code.DEAD_PIPELINE, "ok", "features", told, figures)


def _looked_at(result: PoisonResult) -> Figures:
    return {"leads": result.leads, "features": result.features, "dates": len(result.as_of)}


def check_rebuilt(case: Case) -> Iterator[Finding]:
    """REBUILT: rows of whole accounts, as of some dates of the set, from a copy of these accounts' tables alone."""
    names = _same_declarations(case)
    if other := [n for n in case.training.names if n not in names]:
        told = f"{len(other)} features are not of this catalogue and cannot be built again"
        yield found(Code.REBUILT, "note", "further features", told, {"features": len(other)})
    if not names:
        return
    case.w.progress("building rows of the set again")
    folder = case.w.scratch / "rebuilt"
    folder.mkdir()
    copy = Copy(case.w.con, case.tables, folder, leads=case.sample_leads, seed=case.seed)
    copy.begin()
    tables = copy.write()
    changed = Changed({}, 0)
    for date, rows in _sampled_rows(case, copy, names):
        leads = [str(lead) for lead in rows["lead_id"].to_pylist()]
        small = Catalog(case.playbook, [case.catalog[n] for n in names])
        again = build_scoring_set(tables, case.playbook, date, catalog=small, leads=leads, memory="1GB").arrow()
        changed = changed.joined(differing(rows, again, names))
    for name, share in list(changed.shares.items())[: limits.NAMED]:
        told = f"{share:.1%} of the rows that were built again are different"
        yield found(Code.REBUILT, "block", name, told, {"share_of_rows": share})
    if not changed.compared:
        yield quiet(Code.REBUILT, "no row of the set is of the sampled accounts")
    elif not changed.shares:
        told = f"{changed.compared:,} values of the set came out the same to the bit"
        yield found(Code.REBUILT, "ok", "features", told, {"values": changed.compared, "features": len(names)})


def _same_declarations(case: Case) -> list[str]:
    """Features that mean in the catalogue what they meant when the set was built."""
    same: list[str] = []
    for feature in case.training.manifest["features"]:
        name = feature["name"]
        if name not in case.catalog:
            continue
        declared = json.loads(json.dumps(case.catalog[name].to_dict(), default=_plain))
        if {**declared, "family": ""} == {**feature["declaration"], "family": ""}:
            same.append(name)
    return same


def _plain(value: object) -> object:
    return value.to_dict() if hasattr(value, "to_dict") else str(value)  # type: ignore[attr-defined]


def _sampled_rows(case: Case, copy: Copy, names: list[str]) -> Iterator[tuple[datetime, pa.Table]]:
    """Rows of the set that are of the sample, date by date, for some dates from first to last."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sampled = pa.array([str(lead) for (lead,) in copy.con.execute("SELECT lead_id FROM sampled").fetchall()])
    mine = np.asarray(pc.is_in(case.training.arrow(["lead_id"])["lead_id"].cast(pa.string()), sampled))
    dates = np.unique(case.as_of[mine])
    if not len(dates):
        return
    dates = np.unique(dates[np.linspace(0, len(dates) - 1, _DATES).astype(int)])
    at = np.flatnonzero(mine & np.isin(case.as_of, dates))
    where: Any = pa.array(at)
    columns: dict[str, Any] = {n: case.training.arrow([n])[n].take(where) for n in ("lead_id", "as_of", *names)}
    rows = pa.table(columns)
    for date in dates:
        yield EPOCH + timedelta(microseconds=int(date)), rows.filter(pa.array(case.as_of[at] == date))
