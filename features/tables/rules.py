"""What each table's rows are held against, beyond their types: the playbook and the other tables."""

from __future__ import annotations

from touchline.features.sources.sql import column, text, texts
from touchline.features.tables.workspace import Workspace

Rule = tuple[str, str]
"""A condition that is true of bad rows, and `code:column`."""

CHANGING_COLUMNS = ("account_id", "owner_id", "name", "language", "email_domain_kind")
"""Columns of leads and accounts whose history may stand in `changes`, beside attributes with known = "history"."""

_NO_OWNER: Rule = ("r.lead_id IS NULL AND r.account_id IS NULL", "no_lead_or_account:lead_id")
_ORPHAN: Rule = ("r.lead_id IS NOT NULL AND l.lead_id IS NULL", "unknown_lead:lead_id")
_LEADS = "LEFT JOIN lead_times l ON r.lead_id = l.lead_id"


def create_checked(w: Workspace, table: str) -> None:
    """Create the view `checked_<table>` over `typed_<table>`: final values, and the row's first `_flaw`."""
    values, joins, rules = {
        "touches": _touches,
        "deals": _deals,
        "stages": _stages,
        "changes": _changes,
        "merges": _merges,
        "outcomes": _outcomes,
    }.get(table, _plain)(w)
    whens = "".join(f" WHEN {condition} THEN {text(code)}" for condition, code in rules)
    replaced = (
        f" REPLACE ({', '.join(f'{value} AS {column(name)}' for name, value in values.items())})" if values else ""
    )
    w.con.execute(
        f"CREATE VIEW checked_{table} AS SELECT r.* EXCLUDE (_problem){replaced}, "
        f"CASE WHEN r._problem IS NOT NULL THEN r._problem{whens} END AS _flaw FROM typed_{table} r {joins}"
    )


def create_vocabulary(w: Workspace) -> None:
    """Small tables that translate a source's words into the playbook's."""
    kinds = w.playbook.kinds
    # Enumerated types make the sort of the touches markedly cheaper than plain text does.
    w.con.execute(f"CREATE TYPE touch_kind AS ENUM ({texts(sorted(kinds))})")
    w.con.execute("CREATE TYPE touch_direction AS ENUM ('inbound', 'outbound', 'sales')")
    w.con.execute(
        "CREATE TEMP TABLE kind_words (raw VARCHAR, kind touch_kind, channel VARCHAR, direction touch_direction)"
    )
    rows = [(raw, n, k.channel, k.direction) for n, k in kinds.items() for raw in k.raw_values(n)]
    w.con.executemany("INSERT INTO kind_words VALUES (?, ?, ?, ?)", rows)
    for name, words in (
        ("stage_words", [(raw, s.name) for s in w.playbook.stages for raw in s.raw_values]),
        ("channel_words", [(raw, n) for n, c in w.playbook.channels.items() for raw in c.raw_values(n) if raw != n]),
        ("topic_words", [(raw, n) for n, t in w.playbook.topics.items() for raw in t.raw_values(n) if raw != n]),
    ):
        w.con.execute(f"CREATE TEMP TABLE {name} (raw VARCHAR, name VARCHAR)")
        if words:
            w.con.executemany(f"INSERT INTO {name} VALUES (?, ?)", words)


_Rules = tuple[dict[str, str], str, list[Rule]]


def _plain(w: Workspace) -> _Rules:
    del w
    return {}, "", []


def _touches(w: Workspace) -> _Rules:
    rules: list[Rule] = [
        ("k.kind IS NULL", "unknown_kind:kind"),
        (
            "r.direction IS NOT NULL AND try_cast(r.direction AS touch_direction) IS NULL",
            "unknown_direction:direction",
        ),
        ("l.lead_id IS NULL", "unknown_lead:lead_id"),
    ]
    values = {
        "kind": "k.kind",
        "channel": "coalesce(r.channel, k.channel)",
        "direction": "coalesce(try_cast(r.direction AS touch_direction), k.direction)",
        "machine": "coalesce(r.machine, false)",
    }
    if w.playbook.quarantine.touches_before_lead == "quarantine":
        rules.append(("r.occurred_at < l.created_at", "before_lead:occurred_at"))
    else:
        values["known_at"] = "greatest(r.known_at, l.created_at)"
    joins = f"LEFT JOIN kind_words k ON r.kind = k.raw {_LEADS}"
    # A join over all touches costs the same when it finds nothing, so those that would are left out.
    if w.count("SELECT count(*) FROM channel_words"):
        joins += " LEFT JOIN channel_words c ON r.channel = c.raw"
        values["channel"] = "coalesce(c.name, r.channel, k.channel)"
    topics = ["r.topic"]
    if w.count("SELECT count(*) FROM topic_words"):
        joins += " LEFT JOIN topic_words t ON r.topic = t.raw"
        topics.insert(0, "t.name")
    if w.count("SELECT count(*) FROM asset_topics"):
        joins += " LEFT JOIN asset_topics a ON r.asset = a.asset"
        topics.append("a.topic")
    values["topic"] = f"coalesce({', '.join(topics)})"
    return values, joins, rules


def _deals(w: Workspace) -> _Rules:
    rules: list[Rule] = [
        _NO_OWNER,
        _ORPHAN,
        ("r.outcome IS NOT NULL AND lower(r.outcome) NOT IN ('won', 'lost')", "unknown_outcome:outcome"),
        ("r.outcome IS NOT NULL AND r.closed_at IS NULL", "outcome_without_end:closed_at"),
        ("r.outcome IS NOT NULL AND r.closed_at < r.opened_at", "closed_before_opened:closed_at"),
        ("r.amount < 0", "negative_amount:amount"),
    ]
    joins, orphans = _accounts(w)
    rules[2:2] = orphans
    return {"outcome": "lower(r.outcome)"}, joins, rules


def _stages(w: Workspace) -> _Rules:
    del w
    rules: list[Rule] = [("s.name IS NULL", "unknown_stage:stage"), _ORPHAN]
    return {"stage": "s.name"}, f"LEFT JOIN stage_words s ON r.stage = s.raw {_LEADS}", rules


def _changes(w: Workspace) -> _Rules:
    fields = [*CHANGING_COLUMNS, *(n for n, a in w.playbook.attributes.items() if a.known == "history")]
    rules: list[Rule] = [
        (f"coalesce(r.field NOT IN ({texts(fields)}), true)", "unknown_field:field"),
        _NO_OWNER,
        _ORPHAN,
    ]
    joins, orphans = _accounts(w)
    return {}, joins, [*rules, *orphans]


def _merges(w: Workspace) -> _Rules:
    del w
    joins = "LEFT JOIN lead_times f ON r.from_lead = f.lead_id LEFT JOIN lead_times i ON r.into_lead = i.lead_id"
    rules: list[Rule] = [
        ("f.lead_id IS NULL", "unknown_lead:from_lead"),
        ("i.lead_id IS NULL", "unknown_lead:into_lead"),
        ("r.from_lead = r.into_lead", "merged_into_itself:into_lead"),
    ]
    return {}, joins, rules


def _outcomes(w: Workspace) -> _Rules:
    del w
    rules: list[Rule] = [
        ("r.outcome IS NOT NULL AND lower(r.outcome) NOT IN ('won', 'lost')", "unknown_outcome:outcome"),
        _ORPHAN,
        ("r.amount < 0", "negative_amount:amount"),
    ]
    return {"outcome": "lower(r.outcome)", "deal_id": "coalesce(r.deal_id, r.lead_id)"}, _LEADS, rules


def _accounts(w: Workspace) -> tuple[str, list[Rule]]:
    """Joins to leads and, where there is a table of them, accounts; and the rule on rows that name no known owner."""
    if not _has_rows(w, "accounts"):
        return _LEADS, []
    orphan = "r.lead_id IS NULL AND r.account_id IS NOT NULL AND a.account_id IS NULL"
    return f"{_LEADS} LEFT JOIN account_ids a ON r.account_id = a.account_id", [(orphan, "unknown_account:account_id")]


def _has_rows(w: Workspace, table: str) -> bool:
    return w.count(f"SELECT count(*) FROM (SELECT 1 FROM typed_{table} LIMIT 1)") > 0
