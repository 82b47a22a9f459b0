"""`Playbook`: all sections together, and the checks that need more than one of them."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any, Literal, LiteralString, cast

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from touchline.playbook.agreement import disagreements
from touchline.playbook.base import Name, Section
from touchline.playbook.data import Attribute, Monitor, Promotion, Quarantine, Retention, SmallData, Source
from touchline.playbook.journey import Contact, Handoff, Kpi, Outcome, RejectionReason, Snapshots, Stage
from touchline.playbook.touches import Channel, Family, Kind, Scanners, Topic


def _retold(error: ErrorDetails) -> InitErrorDetails:
    """An error already found, in the form in which errors are raised anew."""
    kind = cast("LiteralString", error["type"])
    retold = PydanticCustomError(kind, "{told}", {**error.get("ctx", {}), "told": error["msg"]})
    return InitErrorDetails(type=retold, loc=error["loc"], input=error["input"])


class Playbook(Section):
    """The agreement of marketing and sales.

    Raises
    ------
    pydantic.ValidationError
        With every problem at once, those between sections included. `load_playbook` and `parse_playbook` turn it into
        a `PlaybookError` that names lines and ways to mend them.
    """

    name: str
    """What people call this agreement."""
    languages: Annotated[list[Literal["en", "fr"]], Field(min_length=1)]
    """Languages people read; every `words` must speak all of them. The first is the default."""
    time_zone: str | None = None
    """Zone of times that carry none (`Europe/Paris`). Without it such times are refused."""

    outcome: Outcome
    snapshots: Snapshots
    handoff: Handoff
    stages: Annotated[list[Stage], Field(min_length=1)]
    families: dict[Name, Family]
    kinds: Annotated[dict[Name, Kind], Field(min_length=1)]
    channels: dict[Name, Channel] = {}
    topics: dict[Name, Topic] = {}
    attributes: dict[Name, Attribute] = {}
    scanners: Scanners | None = None
    contact: Contact = Contact()
    rejection_reasons: list[RejectionReason] = []
    kpis: list[Kpi] = []
    sources: list[Source] = []
    """Where the tables come from. Without any, each table is looked for under its own name, with our column names."""
    quarantine: Quarantine = Quarantine()
    small_data: SmallData = SmallData()
    promotion: Promotion = Promotion()
    monitor: Monitor = Monitor()
    retention: Retention = Retention()

    @model_validator(mode="wrap")
    @classmethod
    def _all_problems_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Playbook]) -> Playbook:
        """Report disagreements between sections together with the errors inside them."""
        between: list[InitErrorDetails] = disagreements(data) if isinstance(data, dict) else []
        try:
            playbook = handler(data)
        except ValidationError as error:
            inside = [_retold(e) for e in error.errors(include_url=False)]
            raise ValidationError.from_exception_data("Playbook", [*inside, *between]) from None
        if between:
            raise ValidationError.from_exception_data("Playbook", between)
        return playbook

    @cached_property
    def digest(self) -> str:
        """Identity of the agreement: SHA-256 in hex of its content, whatever the file's comments and order of keys."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def usable_attributes(self, table: str) -> dict[str, Attribute]:
        """Attributes of a table that may be read from it: those fixed at creation."""
        return {n: a for n, a in self.attributes.items() if a.table == table and a.known == "creation"}
