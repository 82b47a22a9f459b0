"""Touch log: all touches of a block as one table, with the dirt the traps add."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.sources.simulated import prose
from touchline.features.sources.simulated.clock import DAY, MINUTE, START_US, WEEK
from touchline.features.sources.simulated.columns import coded, numbered, times
from touchline.features.sources.simulated.dynamics import Records
from touchline.features.sources.simulated.kinds import EMAIL_CLICK, EMAIL_OPEN, EVENT, KINDS, WEBINAR
from touchline.features.sources.simulated.people import Aliases
from touchline.features.sources.simulated.schemas import SCHEMAS, stored
from touchline.features.sources.simulated.story import Counts
from touchline.features.sources.simulated.traps import PlantedTraps
from touchline.features.sources.simulated.world import World

TOUCHES_PER_BLOCK = 10_000_000  # numbers set aside for a block's touch_ids
CHANNELS = ("email", "web", "event", "phone")
DIRECTIONS = ("inbound", "outbound", "sales")
QUARTER_WEEKS = 13
LEAST_REDELIVERY, MOST_REDELIVERY = 1 * MINUTE, 2 * DAY

_CHANNEL = np.array([CHANNELS.index(kind.channel) for kind in KINDS])
_DIRECTION = np.array([DIRECTIONS.index(kind.direction) for kind in KINDS])
_HAS_CAMPAIGN = np.array([kind.has_campaign for kind in KINDS])
_HAS_TOPIC = np.array([kind.has_topic for kind in KINDS])
_HAS_ASSET = np.array([kind.has_asset for kind in KINDS])


class TouchParts(NamedTuple):
    """The touches of a block by who made them, each an array of `records.RECORD`."""

    human: Records
    sent: Records
    calls: Records
    scanners: Records


@dataclass(frozen=True)
class TouchLog:
    """The rows of a block's touches table, in order of time."""

    records: Records  # (M,) of RECORD
    lead: Counts  # (M,) position in the block's lead ids
    number: Counts  # (M,) what touch_id is made of
    planted: PlantedTraps


def known_by_end(records: Records, world: World) -> Records:
    """Leave out what the log learns only after the simulated time."""
    return records[records["known_at"] < START_US + world.weeks * WEEK]


def lead_positions(records: Records, aliases: Aliases, people: int) -> Counts:
    """Position of each record's lead: the person, or people + the person's alias while that one is in use."""
    alias = np.full(people, -1)
    alias[aliases.person] = np.arange(aliases.person.size)
    person = records["person"].astype(np.int64)
    row = np.flatnonzero(alias[person] >= 0)
    which, week = alias[person[row]], (records["occurred_at"][row] - START_US) // WEEK
    in_use = (aliases.start_week[which] <= week) & (week < aliases.merged_week[which]) & aliases.used[which, week]
    person[row[in_use]] = people + which[in_use]
    return person


def assemble(
    parts: TouchParts,
    aliases: Aliases,
    people: int,
    world: World,
    *,
    block: int,
    random: np.random.Generator | None,
) -> TouchLog:
    """Put the parts together, number them in order of time, and add duplicates if `random` is given."""
    human = known_by_end(parts.human, world)
    records = np.concatenate((human, parts.sent, parts.calls, parts.scanners))
    is_human = np.arange(records.size) < human.size
    order = np.argsort(records["occurred_at"], kind="stable")
    records, is_human = records[order], is_human[order]
    number = block * TOUCHES_PER_BLOCK + 1 + np.arange(records.size)
    lead = lead_positions(records, aliases, people)
    planted = _count(parts, human, lead, people)
    if random is None:
        return TouchLog(records, lead, number, planted)
    again, anew = _choose_duplicates(is_human & ~records["late"], world, random)
    copies = np.concatenate((_redelivered(records[again], world, random), records[anew]))
    fresh = block * TOUCHES_PER_BLOCK + 1 + records.size + np.arange(anew.size)
    number = np.concatenate((number, number[again], fresh))
    lead = np.concatenate((lead, lead[again], lead[anew]))
    records = np.concatenate((records, copies))
    order = np.argsort(records["occurred_at"], kind="stable")
    planted += PlantedTraps(duplicate_deliveries=again.size, duplicate_contents=anew.size)
    return TouchLog(records[order], lead[order], number[order], planted)


def _choose_duplicates(eligible: NDArray[np.bool_], world: World, random: np.random.Generator) -> tuple[Counts, Counts]:
    """Positions of the touches to deliver again, and of those to record anew."""
    draw = random.random(eligible.size)
    again = draw < world.duplicate_share
    anew = ~again & (draw < world.duplicate_share + world.duplicate_content_share)
    return np.flatnonzero(again & eligible), np.flatnonzero(anew & eligible)


def _redelivered(records: Records, world: World, random: np.random.Generator) -> Records:
    """Return copies of `records`, half of them known again only later."""
    copies = records.copy()
    delay = LEAST_REDELIVERY * (MOST_REDELIVERY / LEAST_REDELIVERY) ** random.random(copies.size)
    known_at = copies["known_at"] + delay.astype(np.int64)
    later = (random.random(copies.size) < 0.5) & (known_at < START_US + world.weeks * WEEK)
    copies["known_at"] = np.where(later, known_at, copies["known_at"])
    return copies


def _count(parts: TouchParts, human: Records, lead: Counts, people: int) -> PlantedTraps:
    return PlantedTraps(
        late_facts=int(human["late"].sum()),
        late_facts_dropped=parts.human.size - human.size,
        scanner_opens=int((parts.scanners["kind"] == EMAIL_OPEN).sum()),
        scanner_clicks=int((parts.scanners["kind"] == EMAIL_CLICK).sum()),
        merged_touches=int((lead >= people).sum()),
    )


def touches_table(log: TouchLog, language: NDArray[np.int64], ids: tuple[str, ...], world: World) -> pa.Table:
    """Build the touches table; `language` (P,) holds the code of each person's language."""
    records = log.records
    kind, topic = records["kind"], records["topic"].astype(np.int64)
    quarters = -(-world.weeks // QUARTER_WEEKS)
    quarter = (records["occurred_at"] - START_US) // (QUARTER_WEEKS * WEEK)
    mailing = len(prose.TOPICS) * quarter + topic
    campaign = np.where(kind == EVENT, len(prose.TOPICS) * quarters + quarter, mailing)
    document = np.where(kind == WEBINAR, 2, records["variant"])
    asset = (3 * topic + document) * 2 + language[records["person"]]
    names = [item.name for item in KINDS]
    columns = [
        numbered("T", log.number, 11),
        coded(log.lead, ids),
        times(records["occurred_at"]),
        times(records["known_at"]),
        coded(kind, names),
        coded(_CHANNEL[kind], CHANNELS),
        coded(np.where(_HAS_CAMPAIGN[kind], campaign, -1), prose.list_campaigns(quarters)),
        coded(np.where(_HAS_ASSET[kind], asset, -1), [item.asset for item in prose.ASSETS]),
        coded(np.where(_HAS_TOPIC[kind], topic, -1), prose.TOPICS),
        coded(_DIRECTION[kind], DIRECTIONS),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["touches"]))
