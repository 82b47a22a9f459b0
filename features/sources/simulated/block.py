"""Block: all tables of a fixed number of accounts, the unit of work and of memory."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.sources.simulated import people, records, touchlog
from touchline.features.sources.simulated.clock import START_US, WEEK
from touchline.features.sources.simulated.columns import coded, times
from touchline.features.sources.simulated.deals import (
    LEAD,
    NO_REASON,
    OPEN,
    REASONS,
    STAGES,
    STEP,
    WON,
    list_deals,
    list_journey,
)
from touchline.features.sources.simulated.dynamics import Models, Records, stories_per_account
from touchline.features.sources.simulated.optimum import truth_rows, win_chances
from touchline.features.sources.simulated.schemas import SCHEMAS, stored
from touchline.features.sources.simulated.story import Counts, Story, live
from touchline.features.sources.simulated.streams import Seeds, Stream
from touchline.features.sources.simulated.told import GROUPS, told
from touchline.features.sources.simulated.traps import PlantedTraps, Traps
from touchline.features.sources.simulated.world import World

ACCOUNTS_PER_BLOCK = 2048
OUTCOMES = ("won", "lost")


@dataclass(frozen=True)
class Plan:
    """What all blocks of a simulation share."""

    world: World
    traps: Traps
    models: Models
    seeds: Seeds
    accounts: int
    as_of: NDArray[np.int64]  # (D,) weeks that start at the as-of dates of the truth

    @property
    def accounts_per_block(self) -> int:
        """Number of accounts in a block: as many as make `ACCOUNTS_PER_BLOCK` stories; the last one may have fewer."""
        return max(1, ACCOUNTS_PER_BLOCK // stories_per_account(self.models))

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.accounts // self.accounts_per_block)


@dataclass(frozen=True)
class Block:
    """One block's part of every table, and what the traps left in it."""

    tables: Mapping[str, pa.Table]
    planted: PlantedTraps
    people: int


def build(plan: Plan, block: int) -> Block:
    """Simulate one block; depends on nothing but `plan` and the block's number."""
    world, traps, seeds, model = plan.world, plan.traps, plan.seeds, plan.models[0]
    first = block * plan.accounts_per_block
    accounts = min(plan.accounts_per_block, plan.accounts - first)
    each = stories_per_account(plan.models)
    story = live(plan.models, seeds.key(Stream.STORY), first * each, accounts * each)
    delivery = records.deliver(story, model, seeds.key(Stream.LATE))
    created = records.register(story, seeds.key(Stream.ARRIVAL))
    parts = _touch_parts(plan, story, created, delivery)
    aliases = people.draw_aliases(world, traps, seeds, block, story)
    profiles = people.draw_profiles(world, seeds, block, story, created)
    ids = people.lead_ids(story, aliases, model.max_people)
    random = seeds.generator(Stream.DUPLICATES, block) if traps.duplicates else None
    log = touchlog.assemble(parts, aliases, story.people.size, world, block=block, random=random)
    deals = list_deals(story, seeds.key(Stream.DEALS))
    tables = {
        "leads": people.leads_table(story, profiles, aliases, ids, traps),
        "accounts": people.accounts_table(story, profiles, deals),
        "touches": touchlog.touches_table(log, profiles.language, ids, world),
        "deals": _deals_table(story, deals, ids, own=model.people_apart > 0),
        "stages": _stages_table(plan, story, created, parts.human, aliases=aliases, deals=deals, ids=ids),
        "changes": people.changes_table(world, seeds, block, story, profiles=profiles, ids=ids),
        "truth": _truth_table(plan, story, delivery, ids),
    }
    if traps.merges:
        tables["merges"] = people.merges_table(aliases, ids)
    return Block(
        tables, _planted(log, parts, story, profiles=profiles, aliases=aliases, traps=traps), story.people.size
    )


def _planted(
    log: touchlog.TouchLog,
    parts: touchlog.TouchParts,
    story: Story,
    *,
    profiles: people.Profiles,
    aliases: people.Aliases,
    traps: Traps,
) -> PlantedTraps:
    filled = profiles.phone_filled if traps.leaky_field else np.zeros(0, np.bool_)
    return replace(
        log.planted,
        scanner_accounts=np.unique(people.companies(story)[parts.scanners["person"]]).size,
        phones_filled=int(filled.sum()),
        phones_filled_by_sales=int((filled & profiles.by_sales).sum()) if traps.leaky_field else 0,
        merges=aliases.person.size,
    )


def _touch_parts(plan: Plan, story: Story, created: Counts, delivery: records.Delivery) -> touchlog.TouchParts:
    model, seeds = plan.models[0], plan.seeds
    mailing = records.mail(story, seeds.key(Stream.SENDS))
    scanners = records.scanner_records(story, model, mailing, seeds.key(Stream.SCANNERS))
    return touchlog.TouchParts(
        human=records.human_records(story, created, mailing, delivery, seeds.key(Stream.INSTANTS)),
        sent=records.mail_records(story, mailing),
        calls=records.call_records(story, created, seeds.key(Stream.CALLS)),
        scanners=scanners if plan.traps.scanners else scanners[:0],
    )


def _deals_table(story: Story, deals: Records, ids: tuple[str, ...], *, own: bool) -> pa.Table:
    """One row per deal; a won one has a row per person on it, with an equal share of the amount.

    A person's own deals always name the person.
    """
    row, lead, amount, names = list[int](), list[int](), list[float | None](), list[str]()
    place, last_account = 0, -1
    for number, deal in enumerate(deals):
        place = place + 1 if deal["account"] == last_account else 1
        last_account = deal["account"]
        name = f"D{story.first_account + int(last_account):06d}{place:02d}"
        account = story.accounts[last_account]
        members = np.arange(account["people_start"], account["people_end"])
        members = members[story.people["attached"][members]] if own or deal["outcome"] == WON else members[:0]
        shares = _split(float(deal["amount"]), members.size) if deal["outcome"] == WON else [None] * members.size
        row += [number] * max(1, members.size)
        lead += members.tolist() or [-1]
        names += [f"{name}-{k + 1}" for k in range(members.size)] or [name]
        amount += shares or [float(deal["amount"]) if deal["outcome"] == WON else None]
    taken = deals[row]
    columns = [
        pa.array(names, pa.string()),
        coded(np.array(lead, np.int64), ids),
        coded(story.accounts["company"][taken["account"]], people.account_ids(story)),
        times(np.ascontiguousarray(taken["opened_at"])),
        times(np.ascontiguousarray(taken["closed_at"])),
        coded(np.where(taken["outcome"] == OPEN, -1, taken["outcome"] - 1), OUTCOMES),
        pa.array(amount, pa.float64()),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["deals"]))


def _split(amount: float, shares: int) -> list[float]:
    """`amount` in equal parts to the cent; the last one takes the rest."""
    if shares == 0:
        return []
    share = round(amount / shares, 2)
    return [share] * (shares - 1) + [round(amount - share * (shares - 1), 2)]


def _stages_table(
    plan: Plan,
    story: Story,
    created: Counts,
    human: Records,
    *,
    aliases: people.Aliases,
    deals: Records,
    ids: tuple[str, ...],
) -> pa.Table:
    """Journey of the people, from what is recorded under their own id; an alias is a lead and no more."""
    known = touchlog.known_by_end(human, plan.world)
    own = known[touchlog.lead_positions(known, aliases, story.people.size) < story.people.size]
    order = np.argsort(own["known_at"], kind="stable")
    steps = list_journey(story, created, own, order, deals, plan.seeds.key(Stream.JOURNEY))
    extra = np.empty(aliases.person.size, STEP)
    extra["person"] = story.people.size + np.arange(extra.size)
    extra["stage"], extra["entered_at"], extra["reason"] = LEAD, aliases.created_at, NO_REASON
    steps = np.concatenate((steps, extra))
    entered_at = times(np.ascontiguousarray(steps["entered_at"]))
    columns = [
        coded(steps["person"], ids),
        coded(steps["stage"], STAGES),
        entered_at,
        entered_at,
        coded(steps["reason"], REASONS),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["stages"]))


def partial_truth(plan: Plan, block: int, groups: Collection[str]) -> pa.Table:
    """One block's truth for somebody who is told some groups of facts only."""
    first = block * plan.accounts_per_block
    each = stories_per_account(plan.models)
    accounts = min(plan.accounts_per_block, plan.accounts - first)
    story = live(plan.models, plan.seeds.key(Stream.STORY), first * each, accounts * each)
    delivery = records.deliver(story, plan.models[0], plan.seeds.key(Stream.LATE))
    aliases = people.draw_aliases(plan.world, plan.traps, plan.seeds, block, story)
    return _truth_table(plan, story, delivery, people.lead_ids(story, aliases, plan.models[0].max_people), groups)


def _truth_table(
    plan: Plan,
    story: Story,
    delivery: records.Delivery,
    ids: tuple[str, ...],
    groups: Collection[str] = GROUPS,
) -> pa.Table:
    listens = told(plan.models[0], groups)
    chances = win_chances(plan.models, story, delivery.known_week, plan.as_of, listens)
    rows = truth_rows(plan.models[0], story, delivery.known_week, plan.as_of, chances, listens)
    columns = [
        coded(rows.person, ids),
        times(START_US + plan.as_of[rows.date] * WEEK),
        pa.array(rows.probability),
        pa.array(rows.won == 1, mask=rows.won < 0),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["truth"]))
