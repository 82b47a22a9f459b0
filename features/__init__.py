"""Features: from raw tables to point-in-time training sets.

In: a user's data and the playbook. Out: checked canonical tables (`check_tables`, `Tables`).
"""

from touchline.features.sources import DataError
from touchline.features.tables import BusyError, CheckResult, Tables, check_tables

__all__ = ["BusyError", "CheckResult", "DataError", "Tables", "check_tables"]
