"""What a check found: an account of every row, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SourceAccount:
    """What became of the rows of one path; `read` is the sum of the rest less what was used twice."""

    path: str
    read: int
    """Rows and unreadable lines."""
    kept: dict[str, int]
    """By what they became: a table, `merges`, or `outcomes`."""
    ignored: int
    """Rows that the playbook names as not wanted."""
    quarantined: int
    used_twice: int
    """Extra uses of rows that feed more than one table."""
    columns_not_used: tuple[str, ...]

    @property
    def adds_up(self) -> bool:
        """Whether every row is accounted for."""
        return self.read + self.used_twice == sum(self.kept.values()) + self.ignored + self.quarantined


@dataclass(frozen=True)
class ReasonCount:
    """How many rows of a table were set aside for one reason."""

    table: str
    code: str
    column: str | None
    rows: int
    message: str


@dataclass(frozen=True)
class TableAccount:
    """One canonical table."""

    name: str
    rows: int
    quarantined: int
    from_merges: int = 0
    """Rows that stand a second time under the lead that theirs was merged into."""
    machine: int = 0
    """Touches made by machines."""


@dataclass(frozen=True)
class Note:
    """Something a person should know that set no row aside."""

    code: str
    message: str


@dataclass(frozen=True)
class CheckResult:
    """The outcome of checking a user's data against the playbook.

    Times are UTC, counts are rows. The canonical tables themselves are opened with `Tables.open(result.out)`.
    """

    playbook: str
    playbook_digest: str
    data_digest: str
    """SHA-256 of the canonical tables' content; independent of row order, files and format of the input."""
    sources: tuple[SourceAccount, ...]
    tables: tuple[TableAccount, ...]
    reasons: tuple[ReasonCount, ...]
    notes: tuple[Note, ...]
    deals: dict[str, int]
    """Deals by outcome: won, lost, open."""
    first: datetime | None
    """First fact of the tables."""
    last: datetime | None
    """Last fact of the tables: where the data ends."""
    over_limit: dict[str, float] = field(default_factory=dict[str, float])
    """Tables with too many bad rows -> their share."""
    out: str | None = None
    """Folder of the canonical tables, as it was given, if they were written."""
    quarantine: str | None = None
    """Parquet file of the rows set aside, if it was written."""

    @property
    def ok(self) -> bool:
        """Whether the data is good enough to go on."""
        return not self.over_limit

    def table(self, name: str) -> TableAccount:
        """The account of one canonical table."""
        return next(t for t in self.tables if t.name == name)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; times in ISO 8601."""
        return _plain({**asdict(self), "ok": self.ok})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]  # pyright: ignore[reportUnknownVariableType]
    return value
