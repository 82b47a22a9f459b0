"""Proofs on the user's own data: no fact of the future moves a bit, and every fact of the past can.

Statistics find strong leaks; weak ones, such as today's number of people on an account, only an experiment finds. A
sample of whole accounts is copied, the copy is poisoned from an instant on, and the rows as of that instant are built
from both: alone, as for scoring, and together with earlier and much later rows, as for training.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from touchline.features.audit.bits import Changed
from touchline.features.audit.poison import Poison
from touchline.features.audit.sample import Copy
from touchline.features.audit.trial import Trial
from touchline.features.catalog import Catalog
from touchline.features.kernel import lower
from touchline.features.snapshots.grid import as_of_dates
from touchline.features.sources import DataError
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress, connect
from touchline.playbook import Playbook


@dataclass(frozen=True, repr=False)
class PoisonResult:
    """What the proofs showed. Names of features and kinds only, never of leads."""

    as_of: tuple[datetime, ...]
    leads: int
    accounts: int
    features: int
    compared: int
    """Values that were compared bit by bit under poison."""
    planted: dict[str, int]
    """Poison -> rows of the copy that it added or changed, over all as-of dates."""
    changed: dict[str, tuple[str, ...]]
    """Feature -> the kinds of poison that changed it."""
    shares: dict[str, float]
    """Feature -> the largest share of rows that changed."""
    members: tuple[str, ...]
    """The kinds of poison that changed which leads are scored."""
    truncation: dict[str, float]
    """Feature -> share of rows that changed once all that came later was deleted; `rows`: it changed who is scored."""
    moved: tuple[str, ...]
    """Features that ordinary facts just before as_of changed."""
    dead: tuple[str, ...]
    """Tables (`touches`, `stages`, `changes`) that features read, but whose facts just before as_of changed none."""
    deaf: tuple[str, ...]
    """Kinds of touches that changed nothing."""

    @property
    def ok(self) -> bool:
        """Whether nothing of the future was seen, and the past was."""
        return not (self.changed or self.members or self.truncation or self.dead)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; times in ISO 8601."""
        return {
            "ok": self.ok,
            "as_of": [moment.isoformat() for moment in self.as_of],
            "leads": self.leads,
            "accounts": self.accounts,
            "features": self.features,
            "compared": self.compared,
            "planted": dict(self.planted),
            "changed": {name: list(kinds) for name, kinds in self.changed.items()},
            "shares": dict(self.shares),
            "members": list(self.members),
            "truncation": dict(self.truncation),
            "moved": list(self.moved),
            "dead": list(self.dead),
            "deaf": list(self.deaf),
        }

    def __repr__(self) -> str:
        dates = ", ".join(f"{moment:%Y-%m-%d}" for moment in self.as_of)
        where = f"{self.leads:,} leads, {self.features} features, as of {dates}"
        if self.ok:
            rows = sum(self.planted.values())
            return f"Future poison: {rows:,} absurd facts changed none of {self.compared:,} values ({where})"
        wrong = [*self.changed, *self.members, *self.truncation, *self.dead]
        return f"Future poison: NOT point-in-time ({where}): {', '.join(dict.fromkeys(wrong))}"


def future_poison(
    tables: Tables | str | Path,
    playbook: Playbook,
    *,
    catalog: Catalog | None = None,
    as_of: datetime | date | Sequence[datetime | date] | None = None,
    sample_leads: int = 2000,
    seed: int = 0,
    progress: Progress = lambda step: None,
) -> PoisonResult:
    """Prove on one's own data that features see nothing of the future; nothing of it is changed, a copy is.

    Parameters
    ----------
    tables, playbook, catalog
        As for `build_training_set`.
    as_of
        One or several instants; two from the later half of the data by default, one of them no midnight.
    sample_leads
        About how many leads the copy holds, in whole accounts.
    seed
        Which accounts.

    Raises
    ------
    DataError
        If no lead of the sample is known at an as_of.
    """
    tables = tables if isinstance(tables, Tables) else Tables.open(tables)
    catalog = catalog or Catalog.default(playbook)
    moments = _moments(tables, playbook, as_of)
    with tempfile.TemporaryDirectory(prefix="touchline-audit-") as folder:
        scratch = Path(folder)
        con = connect(scratch, "1GB")
        try:
            progress("taking a sample of accounts")
            copy = Copy(con, tables, scratch, leads=sample_leads, seed=seed)
            trials = [Trial(copy, playbook, catalog, moment) for moment in moments]
            return _judged(trials, progress)
        finally:
            con.close()


def _moments(
    tables: Tables, playbook: Playbook, as_of: datetime | date | Sequence[datetime | date] | None
) -> tuple[datetime, ...]:
    if as_of is None:
        ends = [tables.manifest["result"][end] for end in ("first", "last")]
        if None in ends:
            raise DataError(str(tables.folder), "holds no fact with a time", "check data with touches and deals")
        first, last = map(datetime.fromisoformat, ends)
        dates = as_of_dates(first, last, playbook.snapshots.every) or [last]
        odd = timedelta(hours=13, minutes=7, seconds=11, microseconds=17)
        return (dates[len(dates) // 2], dates[len(dates) * 17 // 20] + odd)
    asked = [as_of] if isinstance(as_of, date) else as_of
    found = [m if isinstance(m, datetime) else datetime.combine(m, time(), UTC) for m in asked]
    if any(m.tzinfo is None for m in found):
        raise DataError("as_of", "has no time zone", "give one, such as datetime(2024, 1, 1, tzinfo=UTC)")
    return tuple(m.astimezone(UTC) for m in found)


def _judged(trials: list[Trial], progress: Progress) -> PoisonResult:
    verdict = _Verdict()
    for trial in trials:
        progress(f"poisoning the future of {trial.moment:%Y-%m-%d}")
        verdict.poison(trial)
        verdict.truncate(trial)
    progress("looking for life just before as_of")
    moved, dead, deaf = _alive(trials[-1])
    copy = trials[0].copy
    return PoisonResult(
        as_of=tuple(trial.moment for trial in trials),
        leads=copy.count("SELECT count(*) FROM sampled"),
        accounts=copy.count("SELECT count(DISTINCT account_no) FROM sampled"),
        features=len(trials[0].catalog),
        compared=verdict.compared,
        planted=verdict.planted,
        changed={name: tuple(kinds) for name, kinds in verdict.changed.items()},
        shares=verdict.shares,
        members=tuple(verdict.members),
        truncation=verdict.truncation,
        moved=moved,
        dead=dead,
        deaf=deaf,
    )


_TOGETHER = "several together"
"""What is named where no kind of poison does it alone."""


class _Verdict:
    """What the trials showed so far."""

    def __init__(self) -> None:
        self.compared = 0
        self.planted: dict[str, int] = {}
        self.changed: dict[str, dict[str, None]] = {}
        self.shares: dict[str, float] = {}
        self.members: dict[str, None] = {}
        self.truncation: dict[str, float] = {}

    def poison(self, trial: Trial) -> None:
        """All kinds of poison at once; and, if that changed something not yet known of, each of them alone."""
        seen = trial.under(Poison)
        self.compared += seen.changed.compared
        for kind, rows in seen.planted.items():
            self.planted[kind] = self.planted.get(kind, 0) + rows
        is_new = bool(seen.changed.shares.keys() - self.changed) or ("members" in seen.ways and not self.members)
        for kind in Poison if is_new else ():
            alone = trial.under([kind], seen.ways)
            for name in alone.changed.shares:
                self.changed.setdefault(name, {})[str(kind)] = None
            if "members" in alone.ways:
                self.members[str(kind)] = None
        for name, share in seen.changed.shares.items():
            self.changed.setdefault(name, {_TOGETHER: None})
            self.shares[name] = max(share, self.shares.get(name, 0.0))
        if "members" in seen.ways and not self.members:
            self.members[_TOGETHER] = None

    def truncate(self, trial: Trial) -> None:
        """The rows once all that came later is deleted."""
        seen = trial.truncated()
        for name, share in seen.changed.shares.items():
            self.truncation[name] = max(share, self.truncation.get(name, 0.0))
        if "members" in seen.ways:
            self.truncation["rows"] = 1.0


def _alive(trial: Trial) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Features that move, tables whose facts move none although features read them, and kinds that move none."""
    lowered = lower(trial.catalog)
    selectors = [*lowered.by_lead.selectors, *lowered.by_account.selectors]
    reads = {type(s).__name__.lower() for s in selectors}
    moved: dict[str, None] = {}
    dead: list[str] = []
    deaf: tuple[str, ...] = ()
    for table in ("touches", "stages", "changes"):
        if table not in reads:
            continue
        found = trial.just_before(table)
        moved |= dict.fromkeys(found.shares)
        if not found.shares:
            dead.append(table)
        elif table == "touches":
            deaf = _deaf_kinds(trial, found)
    return tuple(moved), tuple(dead), deaf


def _deaf_kinds(trial: Trial, found: Changed) -> tuple[str, ...]:
    """Kinds of which no touch changed anything; accounts got the kinds in turn (see `ordinary_touches`)."""
    kinds = list(trial.playbook.kinds)
    rows = trial.copy.con.execute("SELECT lead_id, account_no FROM sampled").fetchall()
    of = {str(lead): kinds[int(number) % len(kinds)] for lead, number in rows}
    heard, given = ({of[lead] for lead in leads} for leads in (found.leads, trial.leads))
    return tuple(kind for kind in kinds if kind in given - heard)
