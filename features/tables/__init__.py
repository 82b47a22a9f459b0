"""Tables: the seven canonical tables, and the check that a user's data must pass to become them.

In: sources as the playbook maps them. Out: a folder of Parquet files, sorted and free of repeats, with every value's
`known_at`, beside a quarantine that names each row set aside and why. The contracts are in `CONTRACTS`.
"""

from touchline.features.tables.check import check_tables
from touchline.features.tables.open import Tables
from touchline.features.tables.publish import BusyError
from touchline.features.tables.result import CheckResult
from touchline.playbook.contracts import TABLES as CONTRACTS

__all__ = ["CONTRACTS", "BusyError", "CheckResult", "Tables", "check_tables"]
