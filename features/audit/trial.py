"""A trial: a copy of some accounts, and what its rows as of one instant are when its tables are changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from touchline.features.audit.bits import Changed, differing
from touchline.features.audit.plot import DAY, Plot, changes, fields_with_history, ordinary_touches, stages
from touchline.features.audit.poison import Poison, plant, truncate
from touchline.features.audit.sample import FAR, Copy, instant, microseconds
from touchline.features.catalog import Age, Catalog
from touchline.features.sources import DataError
from touchline.features.tables import Tables
from touchline.features.training import build_scoring_set, build_training_set
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pyarrow as pa

EARLIER = (91, 364)
"""Days before an as_of of the rows that are built together with it."""


WAYS = ("alone", "together", "members")
"""Ways of building rows: as they are scored, as they are learned from, and who is scored at all."""


@dataclass(frozen=True)
class Seen:
    """What a change of the tables changed."""

    changed: Changed
    ways: tuple[str, ...]
    """The ways of building rows in which something changed."""
    planted: dict[str, int]
    """Rows that were added to the tables or changed in them."""


class Trial:
    """A copy, and what its rows as of one instant are."""

    def __init__(self, copy: Copy, playbook: Playbook, catalog: Catalog, moment: datetime) -> None:
        self.copy = copy
        self.playbook = playbook
        self.catalog = catalog
        self.moment = moment
        self.at = microseconds(moment)
        self.leads = copy.leads_before(self.at)
        if not self.leads:
            raise DataError("the sample", f"has no lead known at {moment:%Y-%m-%d}", "name a later as_of")
        self._begin()
        tables = copy.write(until=FAR)
        self.alone_before, self.together_before = self.alone(tables), self.together(tables)
        self.members_before = self.members(tables)

    def _begin(self) -> None:
        """Set the tables `p_…` back, with a tenth of the accounts known from T on only: who sees them sees too much."""
        self.copy.begin()
        self.copy.con.execute(
            f"UPDATE p_accounts SET known_at = greatest(known_at, {instant(self.at)}) WHERE account_id IN "
            "(SELECT account_id FROM sampled WHERE account_no % 10 = 9)"
        )

    def alone(self, tables: Tables) -> pa.Table:
        """The rows as they are scored."""
        return build_scoring_set(
            tables, self.playbook, self.moment, catalog=self.catalog, leads=self.leads, memory="1GB"
        ).arrow()

    def together(self, tables: Tables) -> pa.Table:
        """The rows as they are learned from: with earlier and with much later ones, so that all facts are read."""
        import pyarrow as pa

        rows = [(lead, self.at) for lead in self.leads]
        for days in EARLIER:
            earlier = self.at - days * DAY
            rows += [(lead, earlier) for lead in self.copy.leads_before(earlier)]
        rows += [(lead, microseconds(FAR) - 4_000 * DAY) for lead in self.leads]
        leads, times = zip(*rows, strict=True)
        given = pa.table({"lead_id": pa.array(leads), "as_of": pa.array(times, pa.timestamp("us", "UTC"))})
        try:
            built = build_training_set(tables, self.playbook, catalog=self.catalog, rows=given, memory="1GB").arrow()
        except DataError:
            return given.slice(0, 0)  # every deal is over, so that nothing can be learned
        as_of = built["as_of"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
        return built.filter(pa.array(as_of <= self.at))

    def members(self, tables: Tables) -> list[str]:
        """The leads that would be scored."""
        small = Catalog(self.playbook, [Age()])
        try:
            built = build_scoring_set(tables, self.playbook, self.moment, catalog=small, memory="1GB")
        except DataError:
            return []  # nobody is active then
        return sorted(str(lead) for lead in built.arrow(["lead_id"])["lead_id"].to_pylist())

    def under(self, kinds: Iterable[Poison], ways: Sequence[str] = WAYS) -> Seen:
        """What kinds of poison change, looked at in some or all ways of building rows."""
        self._begin()
        planted = plant(self.copy, self.playbook, self.at, kinds)
        return self._seen(ways, planted)

    def truncated(self) -> Seen:
        """What changes when all that came later is deleted."""
        self._begin()
        truncate(self.copy, self.at)
        return self._seen(("alone", "members"), {})

    def _seen(self, ways: Sequence[str], planted: dict[str, int]) -> Seen:
        """Hold the tables `p_…` against what the rows were before."""
        tables, names = self.copy.write(until=FAR), self.catalog.names
        found = {
            "alone": lambda: differing(self.alone_before, self.alone(tables), names),
            "together": lambda: differing(self.together_before, self.together(tables), names),
        }
        changed, moved = Changed({}, 0), list[str]()
        for way, look in found.items():
            if way in ways:
                one = look()
                changed = changed.joined(one)
                moved += [way] if one.shares else []
        if "members" in ways and self.members(tables) != self.members_before:
            moved.append("members")
        return Seen(changed, tuple(moved), planted)

    def just_before(self, table: str) -> Changed:
        """What ordinary facts one microsecond before the instant change, one for each lead."""
        self._begin()
        plot = Plot(self.copy, self.playbook, self.at)
        if table == "touches":
            ordinary_touches(plot)
        elif table == "stages":
            stages(plot, [(-1, -1)], outcome=False)
        else:
            changes(plot, [(-1, -1)], fields_with_history(self.playbook))
        return differing(self.alone_before, self.alone(self.copy.write(until=FAR)), self.catalog.names)
