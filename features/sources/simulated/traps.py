"""Traps: the dirt of real exports, switched on one by one and counted exactly."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Traps:
    """Which kinds of dirt the simulated export carries.

    Apart from `several_people`, a trap never changes the story: the same seed gives the same accounts, people, intents,
    deals and human touches, whatever the switches.
    """

    late_facts: bool = True  # webinars and events reach the log up to three weeks after they took place
    scanners: bool = True  # mail filters of some accounts open and click each mail seconds after it was sent
    leaky_field: bool = True  # leads.phone_filled: sales fills it once the deal is won
    duplicates: bool = False  # some touches are delivered twice; a few come again under a new touch_id
    merges: bool = False  # some people exist under two lead_ids for a while
    several_people: bool = True  # off: at most one person per account


@dataclass(frozen=True)
class PlantedTraps:
    """Exact counts of what the traps left in the tables; a checker that finds all of it is complete.

    Every count but the three on duplicates and on merges is taken before duplicates are added: copies are made only of
    human touches that were known on time.
    """

    late_facts: int = 0  # touches with known_at in a later week than occurred_at
    late_facts_dropped: int = 0  # touches that the log had not received when the simulation ended; not in the tables
    scanner_accounts: int = 0  # accounts with at least one machine touch
    scanner_opens: int = 0  # machine touches of kind email_open
    scanner_clicks: int = 0  # machine touches of kind email_click
    phones_filled: int = 0  # leads with phone_filled, by chance or by sales
    phones_filled_by_sales: int = 0  # of these, people on a won deal
    duplicate_deliveries: int = 0  # rows that repeat a touch_id; same content, known_at equal or later
    duplicate_contents: int = 0  # rows that repeat all but the touch_id
    merges: int = 0  # lead_ids that were merged into another one
    merged_touches: int = 0  # distinct touches that carry such a lead_id

    def __add__(self, other: "PlantedTraps") -> "PlantedTraps":
        return PlantedTraps(*(getattr(self, item.name) + getattr(other, item.name) for item in fields(self)))
