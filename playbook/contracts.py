"""The contracts of the tables: which columns, of which type, with which meaning.

Marketing's and sales' systems meet in these tables, so their vocabulary is part of the agreement: the playbook maps a
source's columns to these names, and `touchline.features.tables` holds every row against them.

Times are instants in UTC (microseconds). `known_at` says since when a fact could be known; where a source has none,
it is taken to be the time the fact happened, plus the source's `known_after`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal["text", "time", "number", "boolean"]


@dataclass(frozen=True)
class Column:
    """One column of a contract."""

    name: str
    type: ColumnType
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Contract:
    """One table: its columns, the ones that identify a row, and when its facts happen."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    happens_at: str | None = None
    """The column that says when a row's fact happened."""
    takes_attributes: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the contract's own columns, in order."""
        return tuple(column.name for column in self.columns)


def _known(of: str) -> Column:
    return Column("known_at", "time", f"since when this could be known; by default {of}")


LEADS = Contract(
    "leads",
    "people who may buy",
    (
        Column("lead_id", "text", "identity of the lead", required=True),
        Column("created_at", "time", "when the lead came to exist for us", required=True),
        _known("created_at"),
        Column("account_id", "text", "company the lead belongs to"),
        Column("owner_id", "text", "salesperson who owns the lead"),
        Column("name", "text", "what sales calls the person"),
        Column("language", "text", "language of the person, such as en or fr"),
        Column("email_domain_kind", "text", "company or free mail"),
    ),
    key=("lead_id",),
    happens_at="created_at",
    takes_attributes=True,
)
TOUCHES = Contract(
    "touches",
    "what marketing, sales and the prospect did",
    (
        Column("touch_id", "text", "identity of the touch; made from its content where a source has no such column"),
        Column("lead_id", "text", "whom it touched", required=True),
        Column("occurred_at", "time", "when it happened", required=True),
        _known("occurred_at"),
        Column("kind", "text", "a kind of the playbook", required=True),
        Column("channel", "text", "where; by default the kind's channel"),
        Column("campaign", "text", "campaign it belongs to"),
        Column("asset", "text", "what was sent, read or visited"),
        Column("topic", "text", "what it was about"),
        Column("direction", "text", "inbound, outbound or sales; by default the kind's direction"),
        Column("value", "number", "how much of it: minutes, pages or points, whatever the kind counts"),
        Column("machine", "boolean", "whether a machine made it; link scanners are found in any case"),
    ),
    key=("touch_id",),
    happens_at="occurred_at",
)
DEALS = Contract(
    "deals",
    "opportunities and how they ended",
    (
        Column("deal_id", "text", "identity of the deal", required=True),
        Column("lead_id", "text", "person on the deal; or else account_id"),
        Column("account_id", "text", "company of the deal; or else lead_id"),
        Column("opened_at", "time", "when it was opened"),
        Column("closed_at", "time", "when it was won or lost; of open deals it is an expectation and not kept"),
        Column("known_at", "time", "since when its end could be known; by default closed_at, or opened_at"),
        Column("outcome", "text", "won, lost, or nothing while it is open"),
        Column("amount", "number", "worth of the deal"),
    ),
    key=("deal_id",),
    happens_at="closed_at",
)
STAGES = Contract(
    "stages",
    "the customer journey of each lead, rejections included",
    (
        Column("lead_id", "text", "whose journey", required=True),
        Column("stage", "text", "a stage of the playbook", required=True),
        Column("entered_at", "time", "when the lead entered it", required=True),
        _known("entered_at"),
        Column("reason", "text", "why, such as a rejection reason of the playbook"),
    ),
    key=("lead_id", "stage", "entered_at"),
    happens_at="entered_at",
)
CHANGES = Contract(
    "changes",
    "history of fields that change",
    (
        Column("lead_id", "text", "whose field; or else account_id"),
        Column("account_id", "text", "which company's field; or else lead_id"),
        Column("field", "text", "name of the attribute", required=True),
        Column("value", "text", "new value; nothing if it was cleared"),
        Column("known_at", "time", "since when it was known", required=True),
    ),
    key=("lead_id", "account_id", "field", "known_at"),
    happens_at="known_at",
)
ACCOUNTS = Contract(
    "accounts",
    "companies",
    (
        Column("account_id", "text", "identity of the company", required=True),
        Column("created_at", "time", "when it came to exist for us"),
        _known("created_at"),
        Column("name", "text", "what sales calls it"),
    ),
    key=("account_id",),
    happens_at="created_at",
    takes_attributes=True,
)
ASSETS = Contract(
    "assets",
    "what marketing made and sales may share",
    (
        Column("asset", "text", "identity of the asset", required=True),
        Column("title", "text", "its title"),
        Column("topic", "text", "what it is about"),
        Column("language", "text", "its language"),
        Column("address", "text", "where it can be read"),
        Column("shareable", "boolean", "whether sales may share it"),
    ),
    key=("asset",),
)
MERGES = Contract(
    "merges",
    "which lead turned out to be which",
    (
        Column("from_lead", "text", "the lead that ended", required=True),
        Column("into_lead", "text", "the lead that goes on", required=True),
        Column("merged_at", "time", "when they were merged", required=True),
    ),
    key=("from_lead",),
    happens_at="merged_at",
)
OUTCOMES = Contract(
    "outcomes",
    "a log of events that end a deal; folded into deals",
    (
        Column("lead_id", "text", "person on the deal", required=True),
        Column("deal_id", "text", "identity of the deal; by default the lead's"),
        Column("occurred_at", "time", "when it happened", required=True),
        _known("occurred_at"),
        Column("outcome", "text", "won or lost; nothing for events that only belong to the end"),
        Column("amount", "number", "worth of the deal"),
    ),
    key=(),  # a log: several events at once are no repeats, and repeated ones change nothing
    happens_at="occurred_at",
)

TABLES: dict[str, Contract] = {t.name: t for t in (LEADS, TOUCHES, DEALS, STAGES, CHANGES, ACCOUNTS, ASSETS)}
"""The seven canonical tables, by name."""
INPUTS: dict[str, Contract] = {**TABLES, "merges": MERGES, "outcomes": OUTCOMES}
"""Everything a source may feed: the seven tables, and two inputs that are folded into them."""
