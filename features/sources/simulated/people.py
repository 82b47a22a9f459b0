"""People: the leads, accounts, merges and changes tables of a block."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from touchline.features.sources.simulated import prose
from touchline.features.sources.simulated.clock import DAY, HOUR, START_US, WEEK
from touchline.features.sources.simulated.columns import coded, texts, times
from touchline.features.sources.simulated.dynamics import Records
from touchline.features.sources.simulated.schemas import SCHEMAS, stored
from touchline.features.sources.simulated.story import NEVER, Bools, Counts, Story
from touchline.features.sources.simulated.streams import Seeds, Stream
from touchline.features.sources.simulated.traps import Traps
from touchline.features.sources.simulated.world import INDUSTRIES, REGIONS, ROLES, World

OWNERS = tuple(f"rep-{number:02d}" for number in range(1, 25))
OWNER_CHANGE_SHARE = 0.03  # of accounts
LANGUAGE_CHANGE_SHARE = 0.01  # of people
OTHER_LANGUAGE_SHARE = 0.08  # of people, from the language of their account

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Aliases:
    """People who exist under a second lead_id from `start_week` until it is merged at `merged_week`; A rows."""

    person: Counts  # (A,) position in the block
    start_week: Counts  # (A,)
    merged_week: Counts  # (A,)
    created_at: Counts  # (A,) microseconds
    merged_at: Counts  # (A,) microseconds
    used: Bools  # (A, T) the person's touches of the week go under the second id


@dataclass(frozen=True)
class Profiles:
    """Who the people of a block are: P people, N accounts; codes point into the tuples of `prose` and `world`."""

    created_at: Counts  # (P,) microseconds
    language: Codes  # (P,)
    owner: Codes  # (N,)
    free_email: Bools  # (P,)
    names: tuple[str, ...]  # (P,)
    companies: tuple[str, ...]  # (N,)
    phone_filled: Bools  # (P,)
    by_sales: Bools  # (P,) on a won deal


def draw_profiles(world: World, seeds: Seeds, block: int, story: Story, created_at: Counts) -> Profiles:
    """Draw what the story does not depend on: names, languages, owners."""
    random = seeds.generator(Stream.PROFILES, block)
    accounts, people = story.accounts.size, story.people.size
    of_account, company = story.people["account"], companies(story)
    french = (random.random(accounts) < world.french_share).astype(np.int64)
    language = french[company] ^ (random.random(people) < OTHER_LANGUAGE_SHARE)
    picks = random.integers(0, 1 << 30, (people, 2))
    words = random.integers(0, 1 << 30, (accounts, 2))
    by_sales = (story.accounts["won_week"][of_account] != NEVER) & story.people["attached"]
    phone_chance = np.where(by_sales, world.phone_filled_won, world.phone_filled_else)
    return Profiles(
        created_at=created_at,
        language=language,
        owner=random.integers(0, len(OWNERS), accounts),
        free_email=random.random(people) < world.free_email_share,
        names=tuple(_person(prose.LANGUAGES[code], *pair) for code, pair in zip(language, picks, strict=True)),
        companies=tuple(
            _company(prose.LANGUAGES[code], industry, *pair)
            for code, industry, pair in zip(french, story.accounts["industry"], words, strict=True)
        ),
        phone_filled=seeds.generator(Stream.PHONES, block).random(people) < phone_chance,
        by_sales=by_sales,
    )


def _person(language: str, first: int, last: int) -> str:
    firsts, lasts = prose.FIRST_NAMES[language], prose.LAST_NAMES[language]
    return f"{firsts[first % len(firsts)]} {lasts[last % len(lasts)]}"


def _company(language: str, industry: int, stem: int, trade: int) -> str:
    stems, trades = prose.COMPANY_STEMS[language], prose.COMPANY_TRADES[language][industry]
    stem_word, trade_word = stems[stem % len(stems)], trades[trade % len(trades)]
    return f"{stem_word} {trade_word}" if language == "en" else f"{trade_word} {stem_word}"


def draw_aliases(world: World, traps: Traps, seeds: Seeds, block: int, story: Story) -> Aliases:
    """Choose who comes a second time under another address; nobody if the trap is off."""
    random = seeds.generator(Stream.MERGES, block)
    people = story.people.size
    start = story.people["arrival"] + 1 + random.integers(0, 30, people)
    merged = start + 2 + random.integers(0, 16, people)
    active = story.accounts["won_week"][story.people["account"]] > start
    chosen = (random.random(people) < world.merge_share) & active & (merged < world.weeks)
    person = np.flatnonzero(chosen if traps.merges else np.zeros(people, np.bool_))
    hours = random.random((2, people))[:, person] * HOUR
    return Aliases(
        person=person,
        start_week=start[person],
        merged_week=merged[person],
        created_at=START_US + start[person] * WEEK + 5 * HOUR + hours[0].astype(np.int64),
        merged_at=START_US + merged[person] * WEEK + 5 * HOUR + hours[1].astype(np.int64),
        used=random.random((person.size, world.weeks)) < 0.5,
    )


def lead_ids(story: Story, aliases: Aliases, max_people: int) -> tuple[str, ...]:
    """Ids (P + A,) of the people and then of the aliases; they follow from account and place, not from the block."""
    account = story.people["account"]
    place = np.arange(story.people.size) - story.accounts["people_start"][account]
    number = 2 * ((story.first_account + account.astype(np.int64)) * max_people + place) + 1
    return tuple(f"L{n:07d}" for n in np.concatenate((number, number[aliases.person] + 1)).tolist())


def companies(story: Story) -> NDArray[np.int32]:
    """Row (P,) of the account that each person belongs to in the tables."""
    return story.accounts["company"][story.people["account"]]


def account_ids(story: Story) -> tuple[str, ...]:
    """Ids (N,) of the accounts; those of a company's other rows are not used."""
    return tuple(f"A{story.first_account + a:06d}" for a in range(story.accounts.size))


def leads_table(story: Story, profiles: Profiles, aliases: Aliases, ids: tuple[str, ...], traps: Traps) -> pa.Table:
    """People first, then aliases, who share everything with their person but the address and an empty phone."""
    who = np.concatenate((np.arange(story.people.size), aliases.person))
    second = np.arange(who.size) >= story.people.size
    account = companies(story)[who]
    columns = [
        coded(np.arange(who.size), ids),
        times(np.concatenate((profiles.created_at, aliases.created_at))),
        coded(account, account_ids(story)),
        coded(profiles.owner[account], OWNERS),
        coded(profiles.language[who], prose.LANGUAGES),
        texts([profiles.names[person] for person in who]),
        coded((profiles.free_email[who] ^ second).astype(np.int8), ("company", "free")),
        coded(story.people["role"][who], ROLES),
    ]
    schema = SCHEMAS["leads"]
    if traps.leaky_field:
        columns.append(pa.array(profiles.phone_filled[who] & ~second))
    else:
        schema = schema.remove(schema.get_field_index("phone_filled"))
    return pa.table(columns, schema=stored(schema))


def accounts_table(story: Story, profiles: Profiles, deals: Records) -> pa.Table:
    """Accounts with a person or a deal, created with the first of these."""
    created = np.full(story.accounts.size, np.iinfo(np.int64).max)
    np.minimum.at(created, companies(story), profiles.created_at)
    np.minimum.at(created, story.accounts["company"][deals["account"]], deals["opened_at"])
    seen = np.flatnonzero(created < np.iinfo(np.int64).max)
    columns = [
        coded(seen, account_ids(story)),
        times(created[seen]),
        texts([profiles.companies[a] for a in seen]),
        coded(story.accounts["industry"][seen], INDUSTRIES),
        pa.array(story.accounts["employees"][seen]),
        coded(story.accounts["region"][seen], REGIONS),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["accounts"]))


def merges_table(aliases: Aliases, ids: tuple[str, ...]) -> pa.Table:
    """One row per alias."""
    people = len(ids) - aliases.person.size
    columns = [
        coded(people + np.arange(aliases.person.size), ids),
        coded(aliases.person, ids),
        times(aliases.merged_at),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["merges"]))


def changes_table(
    world: World, seeds: Seeds, block: int, story: Story, *, profiles: Profiles, ids: tuple[str, ...]
) -> pa.Table:
    """Reassign some owners and correct some languages: the first value at creation, the present one later."""
    random = seeds.generator(Stream.CHANGES, block)
    end = START_US + world.weeks * WEEK
    account = companies(story)
    moved = random.random(story.accounts.size) < OWNER_CHANGE_SHARE
    moved_at = START_US + (random.random(story.accounts.size) * world.weeks * WEEK).astype(np.int64)
    former = (profiles.owner + random.integers(1, len(OWNERS), story.accounts.size)) % len(OWNERS)
    corrected = random.random(story.people.size) < LANGUAGE_CHANGE_SHARE
    corrected_at = profiles.created_at + DAY + (random.random(story.people.size) * 30 * DAY).astype(np.int64)
    rows: list[tuple[int, str, str, int]] = []
    for person in np.flatnonzero(moved[account] | corrected).tolist():
        created, a, language = int(profiles.created_at[person]), account[person], profiles.language[person]
        if moved[a] and moved_at[a] > created:
            rows.append((person, "owner_id", OWNERS[former[a]], created))
            rows.append((person, "owner_id", OWNERS[profiles.owner[a]], int(moved_at[a])))
        if corrected[person] and corrected_at[person] < end:
            rows.append((person, "language", prose.LANGUAGES[1 - language], created))
            rows.append((person, "language", prose.LANGUAGES[language], int(corrected_at[person])))
    columns = [
        coded(np.array([row[0] for row in rows], np.int64), ids),
        texts([row[1] for row in rows]),
        texts([row[2] for row in rows]),
        times(np.array([row[3] for row in rows], np.int64)),
    ]
    return pa.table(columns, schema=stored(SCHEMAS["changes"]))
