"""The data: which attributes may be used and since when, where the tables come from, how much bad data is too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from touchline.playbook.base import Duration, Section, Words

InputName = Literal[
    "leads", "touches", "deals", "stages", "changes", "accounts", "assets", "merges", "outcomes", "ignored"
]
"""What a source may feed: a table; `merges` (which lead became which); `outcomes` (a log of won and lost events, folded
into deals); or `ignored`, rows that the playbook knows and does not want."""


# The directives that DuckDB's strptime knows; the year has to be among them.
_FORMAT = r"^([^%]|%-?[aAbBdfgHIjmMnpSyYzZ%])*%-?[yY]([^%]|%-?[aAbBdfgHIjmMnpSyYzZ%])*$"


class Attribute(Section):
    """A property of a lead or an account, and from when on it may be believed."""

    table: Literal["leads", "accounts"]
    type: Literal["text", "number", "boolean", "time"] = "text"
    known: Literal["creation", "history", "never"]
    """`creation`: set when the lead is created and never changed. `history`: changes are in the table `changes`.
    `never`: filled or changed later without a trace, so it must not be used (and is not read)."""
    words: Words


class ColumnRule(Section):
    """Where a column's values come from."""

    column: str | None = None
    """A column of the source."""
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """Several columns of the source, joined by `join`."""
    value: str | bool | int | float | None = None
    """The same value for every row."""
    join: str = ":"
    map: Annotated[dict[str, str], Field(min_length=1)] | None = None
    """Source value -> our value; other values become missing."""
    format: Annotated[str, Field(pattern=_FORMAT)] | None = None
    """Of times written as text, in strptime's letters: `%d/%m/%Y %H:%M`."""
    unit: Literal["s", "ms", "us"] | None = None
    """Of times written as numbers since 1970-01-01 UTC."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers written as text."""

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnRule:
        if sum(x is not None for x in (self.column, self.columns, self.value)) != 1:
            raise PydanticCustomError("one_origin", "needs exactly one of `column`, `columns` or `value`")
        return self

    @property
    def origins(self) -> list[str]:
        """The source columns it reads."""
        return self.columns or ([self.column] if self.column is not None else [])


def _short_rule(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Rule = Annotated[ColumnRule, BeforeValidator(_short_rule, json_schema_input_type=str | ColumnRule)]
"""A source column's name, or a `ColumnRule`."""


class Source(Section):
    """One file, folder or database table, and what it feeds."""

    table: InputName
    path: str
    """Relative to the data folder: a CSV, gzipped CSV or Parquet file, a folder or pattern (`touches/*.parquet`) of
    them, a DuckDB or SQLite file; or the address of a database (`postgresql://…`), where `${NAME}` stands for an
    environment variable."""
    relation: Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$")] | None = None
    """In a database: the table or view to read."""
    columns: dict[str, Rule] = {}
    """Our column -> where its values come from; columns of the same name need no line."""
    only: dict[str, list[str]] = {}
    """Source column -> values: only rows that have one of them feed this table. Rows of the path that no source wants
    are quarantined, unless a source with table `ignored` names them."""
    encoding: str = "utf-8"
    """Of CSV files, by Python's name: `utf-8`, `cp1252`, `latin-1`, `utf-16`."""
    delimiter: Annotated[str, Field(pattern=r'^[^"\r\n]$')] | None = None
    """Of CSV files; found out if left out."""
    known_after: Duration = timedelta(0)
    """How long after it happened a fact reaches us, where the source does not say when it did."""
    time_zone: str | None = None
    """Zone of this source's times that carry none; stands before the playbook's own."""


class Quarantine(Section):
    """What happens with bad rows: they are set aside with a reason, and too many stop the job."""

    max_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of a table's rows that may be set aside."""
    max_share_of: dict[InputName, Annotated[float, Field(ge=0, le=1)]] = {}
    """The same for single tables."""
    touches_before_lead: Literal["quarantine", "known_at_creation"] = "quarantine"
    """A touch older than its lead: bad data, or (web visits joined to a form filled later) a fact that became known
    when the lead was created."""


class SmallData(Section):
    """From how many distinct, mature won deals on the model may say what (SCIENCE: small-data ladder)."""

    ranks_from: Annotated[int, Field(ge=1)] = 15
    """Fewer: no model of one's own."""
    probabilities_from: Annotated[int, Field(ge=1)] = 60
    """From here on probabilities, with intervals."""
    full_from: Annotated[int, Field(ge=1)] = 150
    """From here on the full model."""
    isotonic_from: Annotated[int, Field(ge=1)] = 300
    """From here on isotonic calibration may be chosen."""


class Retention(Section):
    """How long scores are kept."""

    batches: Duration = timedelta(days=400)
    """Batches of scores as of longer ago are removed from the score store; the newest stays in any case."""


class Promotion(Section):
    """When a challenger takes the champion's place: never worse by more than this, on later rows that neither saw."""

    worse_log_loss: Annotated[float, Field(ge=0)] = 0.02
    """By how much its log loss may be worse, as a share of the champion's."""
    worse_capture: Annotated[float, Field(ge=0, le=1)] = 0.03
    """By how much fewer of the wins may be among the leads that sales can call."""
    better_chance: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """Or else it must be better in this share of the bootstrap's draws."""
    observed_expected: tuple[float, float] = (0.8, 1.25)
    """Observed wins by expected ones; the interval must reach into this range."""
    tier_churn: Annotated[float, Field(ge=0, le=1)] = 0.10
    """At most this share of leads may change tier though their facts did not."""


class Monitor(Section):
    """From where on `touchline monitor` calls a person."""

    psi: Annotated[float, Field(gt=0)] = 0.25
    """Population stability index of the scores, against the batch before and against the reference batch."""
    contribution_change: Annotated[float, Field(gt=0)] = 0.5
    """By which share a family of features may say more or less than it did at the reference batch."""
    observed_expected: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.8, 1.25)
    """Observed wins by expected ones; the interval must reach into this range."""
    silent_share: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """A touch kind is silent if its last week brought less than this share of a usual week."""
    machine_rise: Annotated[float, Field(gt=0, le=1)] = 0.10
    """By how much the share of machines among inbound touches may be above that of the quarter before."""

    @model_validator(mode="after")
    def _range_rises(self) -> Monitor:
        if self.observed_expected[0] >= self.observed_expected[1]:
            raise PydanticCustomError("monitor", "has a range `observed_expected` that does not rise")
        return self
