"""Snapshots: the rows of a training or scoring set, each a lead as of a date, and what became of it.

In: canonical tables and the playbook's outcome and eligibility. Out: (lead_id, as_of) with a status: won, not won,
immature, already closed, or left to sales because a deal is open.
"""

from touchline.features.snapshots.draw import STATUSES, Windows
from touchline.features.snapshots.grid import as_of_dates

__all__ = ["STATUSES", "Windows", "as_of_dates"]
