"""Sources: where raw rows come from.

In: files, folders, database tables (mapped by the playbook's `[[sources]]`), or the simulator. Out: Parquet that can be
scanned as often as needed, with an exact account of every line that could not be read.

`touchline.features.sources.simulated` writes a company's history with a known truth, for tests, demos and benchmarks.
"""

from touchline.features.sources.errors import DataError
from touchline.features.sources.staging import Scan, Stager, resolve_sources

__all__ = ["DataError", "Scan", "Stager", "resolve_sources"]
