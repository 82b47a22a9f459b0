"""Why a row is set aside: one code each, with words that tell a person what to do."""

from __future__ import annotations

REASONS: dict[str, str] = {
    # lines that are no rows
    "too_few_fields": "the line has fewer fields than the header; export the file again, or mend the line",
    "too_many_fields": "the line has more fields than the header; a value may hold the delimiter without quotes",
    "broken_quotes": "the line's quotes do not close; export the file again with quotes doubled inside values",
    "swallowed_by_quotes": "the line stands behind a quote that never closes; mend the line with the broken quotes",
    "not_utf8": "the line is not UTF-8; state the source's `encoding`, such as cp1252 for files from Excel",
    "broken_line": "the line cannot be read as CSV; export the file again",
    # rows that nobody wants
    "unrouted": "no source of the playbook wants this row; add its value to an `only`, or a source of table `ignored`",
    # values
    "missing_value": "a required value is missing; fill it at the origin, or correct the column's mapping",
    "bad_time": "the time cannot be read; state the column's `format` or `unit` in the playbook",
    "naive_time": "the time has no zone; state `time_zone` in the playbook or for this source",
    "implausible_time": "the time lies before 1990, as missing times often do; leave it empty at the origin",
    "future_time": "the time lies in the future; correct the clock or the zone of the source",
    "bad_number": "the number cannot be read; state `decimal` in the column's mapping, or correct it",
    "bad_boolean": "the value is neither true nor false; use true, false, yes, no, oui, non, 1 or 0",
    # facts that contradict each other
    "known_before_it_happened": "known_at lies before the fact itself; correct it, or leave it empty",
    "unknown_lead": "the lead does not exist in the table leads; bring the lead, or correct the id",
    "unknown_account": "the account does not exist in the table accounts; bring the account, or correct the id",
    "no_lead_or_account": "neither a lead nor an account is named; fill one of them",
    "unknown_kind": "the playbook has no touch kind with this value; add it to a kind's `raw`, or ignore it",
    "unknown_direction": "the direction is not inbound, outbound or sales; map it, or leave it empty",
    "before_lead": "the touch is older than its lead; see `touches_before_lead` in the playbook",
    "unknown_stage": "the playbook has no stage with this value; add it to a stage's `raw`",
    "unknown_field": 'no attribute of the playbook has this name and known = "history"; declare it if it is wanted',
    "unknown_outcome": "the outcome is not won, lost or empty; map it in `[sources.columns]`",
    "outcome_without_end": "the deal has an outcome but no closed_at; fill it at the origin",
    "closed_before_opened": "the deal is closed before it is opened; correct one of the times",
    "negative_amount": "the amount is negative; correct it, or leave it empty",
    "merged_into_itself": "the lead is merged into itself; delete the line",
    "merged_in_a_circle": "following the merges from this lead leads back to it; correct them",
    # rows that are there twice
    "duplicate_delivery": "the row is there twice, with the same content; one is kept, nothing needs doing",
    "conflicting_duplicate": "another row with the same key says something else; the one known first is kept",
    "duplicate_content": "another row with another id says the same; the one known first is kept",
}
"""Code -> plain message. A message never holds data."""
