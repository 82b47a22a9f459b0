"""What tests share: a small company whose tables are written as a test wants them, and the real data where it is."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from touchline.features import CheckResult, Tables, check_tables
from touchline.playbook import Playbook, parse_playbook

ROOT = Path(__file__).parents[1]
NOW = datetime(2025, 1, 1, tzinfo=UTC)

PLAYBOOK = """
name = "Test"
languages = ["en"]

[outcome]
horizon = "30d"

[snapshots]
active_within = "30d"

[handoff]
threshold = 0.1
sla = "1d"

[[stages]]
name = "lead"
role = "lead"
owner = "marketing"
words.en = "Lead"

[[stages]]
name = "won"
role = "won"
owner = "sales"
words.en = "Won"

[[stages]]
name = "lost"
role = "lost"
owner = "sales"
raw = ["Closed Lost"]
words.en = "Lost"

[families.mail]
words.en = "Mail"

[kinds.send]
raw = ["Send Email"]
family = "mail"
direction = "outbound"
engagement = false
words.en = "was sent a mail"

[kinds.open]
raw = ["Open Email"]
family = "mail"
direction = "inbound"
engagement = true
channel = "email"
words.en = "opened a mail"

[kinds.click]
family = "mail"
direction = "inbound"
engagement = true
words.en = "clicked"

[channels]
email.words.en = "E-mail"

[scanners]
sends = ["send"]
opens = ["open"]
clicks = ["click"]
after_send = "5s"
burst_links = 3
burst_within = "1s"

[attributes.industry]
table = "leads"
known = "creation"
words.en = "Industry"

[attributes.size]
table = "leads"
type = "number"
known = "history"
words.en = "Size"

[quarantine]
max_share = 1
"""

LEADS = [
    {"lead_id": "L1", "created_at": "2024-01-01T00:00:00Z", "industry": "steel"},
    {"lead_id": "L2", "created_at": "2024-01-02T00:00:00Z", "industry": "food"},
    {"lead_id": "L3", "created_at": "2024-01-03T00:00:00Z", "industry": ""},
]
TOUCHES = [
    {"touch_id": "T1", "lead_id": "L1", "occurred_at": "2024-02-01T09:00:00Z", "kind": "send", "asset": "a"},
    {"touch_id": "T2", "lead_id": "L1", "occurred_at": "2024-02-01T10:00:00Z", "kind": "open", "asset": "a"},
    {"touch_id": "T3", "lead_id": "L2", "occurred_at": "2024-02-02T09:00:00Z", "kind": "Send Email", "asset": "a"},
]
DEALS = [
    {"deal_id": "D1", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "2024-04-01T00:00:00Z",
     "outcome": "won", "amount": "100"},
]  # fmt: skip

Row = dict[str, Any]


@dataclass
class Company:
    """A data folder and a playbook; tests write what they need into it and check it."""

    folder: Path
    out: Path
    playbook_text: str = PLAYBOOK

    @property
    def playbook(self) -> Playbook:
        return parse_playbook(self.playbook_text)

    def write(self, table: str, rows: list[Row]) -> Path:
        """Write a table as CSV; columns are those of any row."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path = self.folder / f"{table}.csv"
        path.write_text(text.getvalue(), encoding="utf-8")
        return path

    def touch(self, touch_id: str, lead: str = "L1", at: str = "2024-02-05T10:00:00Z", **more: str) -> Row:
        return {"touch_id": touch_id, "lead_id": lead, "occurred_at": at, "kind": "open", **more}

    def check(self, **options: Any) -> CheckResult:
        return check_tables(self.playbook, self.folder, out=self.out, **{"now": NOW, **options})

    def tables(self) -> Tables:
        return Tables.open(self.out)

    def kept(self, table: str = "touches") -> list[Row]:
        """Rows of a canonical table as plain Python."""
        return self.tables().arrow(table).to_pylist()

    def reasons(self) -> dict[str, str]:
        """Row key -> reason code, of all rows set aside."""
        import pyarrow.parquet as pq

        return {row["row_key"]: row["code"] for row in pq.read_table(self.out / "quarantine.parquet").to_pylist()}


@pytest.fixture
def company(tmp_path: Path) -> Company:
    """A company with three leads, three touches and a won deal."""
    folder = tmp_path / "data"
    folder.mkdir()
    made = Company(folder, tmp_path / "tables")
    made.write("leads", LEADS)
    made.write("touches", TOUCHES)
    made.write("deals", DEALS)
    return made


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """The folder of a real data set; the test is skipped with a word where it is not there."""

    def find(name: str) -> Path:
        base = Path(os.environ.get("TOUCHLINE_REAL_DATA", ROOT.parent / "shared" / "data"))
        if not (base / name).is_dir():
            pytest.skip(f"the real data set {name} is not here; set TOUCHLINE_REAL_DATA to the folder that holds it")
        return base / name

    return find
