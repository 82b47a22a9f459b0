"""What is asked for when a set is built, and what an engine has to be able to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from touchline.features.catalog import Catalog
from touchline.features.engines.prepare import Prepared
from touchline.features.snapshots.draw import Windows
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

if TYPE_CHECKING:
    import pyarrow as pa

    from touchline.features.kernel.program import I64


class Engine(Protocol):
    """Where features are computed."""

    name: str

    def edges(self, w: Workspace, tables: Tables, prepared: Prepared) -> I64:
        """Where partitions begin and end, in leads."""
        ...

    def run(
        self, w: Workspace, tables: Tables, prepared: Prepared, *, labels: bool, done: Callable[[int], bool] = ...
    ) -> Iterator[tuple[int, pa.Table]]:
        """Compute what is not done yet, part by part."""
        ...


@dataclass(frozen=True)
class Order:
    """What is asked for: everything but the data and the playbook."""

    kind: str
    """`training` or `scoring`."""
    catalog: Catalog
    rows: dict[str, Any]
    """Which rows, as it goes into the recipe."""
    draw: Callable[[Workspace, Windows], None]
    """Creates these rows as the table `drawn`."""
    engine: Engine
    memory: int
    """Bytes the job may use."""
    known_before: int | None = None
    """Facts that became known then (microseconds since 1970) or later are left out."""
