"""Records: when each touch of the story took place and when the log came to know it; machine touches included.

Every function draws from its own stream of each account, so a trap switched on or off moves nothing else.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.clock import (
    SECOND,
    arrival_instant,
    instant_after,
    reading_instant,
    send_instant,
    working_instant,
)
from touchline.features.sources.simulated.dynamics import Model, Record, Records
from touchline.features.sources.simulated.kinds import (
    EMAIL_CLICK,
    EMAIL_OPEN,
    EMAIL_SENT,
    LATE_KINDS,
    MAIL_KINDS,
    PRICING_PAGE,
    SALES_CALL,
)
from touchline.features.sources.simulated.story import Counts, Story, Weeks
from touchline.features.sources.simulated.streams import kernel, part, pick, restart, uniform

TOPIC_COUNT = 8
PRICING_TOPIC = 2  # position of "pricing" in `prose.TOPICS`
VARIANT_COUNT = 2  # documents per topic and language; a webinar comes on top
FAVOURITE_SHARE = 0.5  # of an account's touches are about its favourite topic

RECORD = np.dtype(
    [
        ("person", np.int32),  # position in the block
        ("occurred_at", np.int64),  # microseconds
        ("known_at", np.int64),
        ("kind", np.int8),
        ("topic", np.int8),
        ("variant", np.int8),  # document of the topic
        ("late", np.bool_),
    ]
)


class Delivery(NamedTuple):
    """How the M touches of a story reach the log."""

    known_week: Weeks  # (M,)
    known_at: Counts  # (M,) microseconds; 0 where it equals occurred_at


class Mailing(NamedTuple):
    """What marketing mails to whom: P people, T weeks."""

    sent_at: Counts  # (P, T) microseconds; 0 where nothing is sent
    topic: NDArray[np.int8]  # (N, T)
    variant: NDArray[np.int8]  # (N, T)


@kernel
def deliver(story: Story, model: Model, key: np.uint64) -> Delivery:
    """Delay the record of each webinar and event by whole weeks (`Stream.LATE`)."""
    delivery = Delivery(story.touches["week"].copy(), np.zeros(story.touches.size, np.int64))
    state = np.empty(4, np.uint64)
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        for row in range(story.accounts[a].touch_start, story.accounts[a].touch_end):
            touch = story.touches[row]
            if touch.kind in LATE_KINDS:
                delay = pick(state, model.late_weeks_share, 1.0)
                if delay > 0:
                    delivery.known_week[row] += delay
                    delivery.known_at[row] = working_instant(state, touch.week + delay)
    return delivery


@kernel
def register(story: Story, key: np.uint64) -> Counts:
    """Instants (P,) at which the people of the story are created (`Stream.ARRIVAL`)."""
    created = np.empty(story.people.size, np.int64)
    state = np.empty(4, np.uint64)
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        for p in range(story.accounts[a].people_start, story.accounts[a].people_end):
            created[p] = arrival_instant(state, story.people[p].arrival)
    return created


@kernel
def mail(story: Story, key: np.uint64) -> Mailing:
    """Send the mails of the story, each to all people present (`Stream.SENDS`)."""
    accounts, weeks = story.send.shape
    mailing = Mailing(
        np.zeros((story.people.size, weeks), np.int64),
        np.zeros((accounts, weeks), np.int8),
        np.zeros((accounts, weeks), np.int8),
    )
    state = np.empty(4, np.uint64)
    for a in range(accounts):
        restart(state, key, story.first_account + a)
        favourite = int(uniform(state) * TOPIC_COUNT)
        for week in range(min(weeks, story.accounts[a].won_week + 1)):
            if not story.send[a, week]:
                continue
            mailing.topic[a, week] = _topic(state, favourite)
            mailing.variant[a, week] = int(uniform(state) * VARIANT_COUNT)
            instant = send_instant(state, week)
            for p in range(story.accounts[a].people_start, story.accounts[a].people_end):
                if story.people[p].arrival <= week:
                    mailing.sent_at[p, week] = instant + int(uniform(state) * 600.0 * SECOND)
    return mailing


@kernel
def mail_records(story: Story, mailing: Mailing) -> Records:
    """List one `email_sent` per mail and person."""
    records = np.empty(np.count_nonzero(mailing.sent_at), RECORD)
    used = 0
    for p in range(mailing.sent_at.shape[0]):
        for week in range(mailing.sent_at.shape[1]):
            if mailing.sent_at[p, week] > 0:
                a = story.people[p].account
                _write(records[used], p, mailing.sent_at[p, week], EMAIL_SENT)
                records[used].topic, records[used].variant = mailing.topic[a, week], mailing.variant[a, week]
                used += 1
    return records


@kernel
def human_records(story: Story, created: Counts, mailing: Mailing, delivery: Delivery, key: np.uint64) -> Records:
    """List the human touches of the story, one by one (`Stream.INSTANTS`)."""
    records = np.empty(story.touches.size, RECORD)
    state = np.empty(4, np.uint64)
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        favourite = int(uniform(state) * TOPIC_COUNT)
        for row in range(story.accounts[a].touch_start, story.accounts[a].touch_end):
            touch = story.touches[row]
            person, week, kind = touch.person, touch.week, touch.kind
            if kind in MAIL_KINDS:
                instant = reading_instant(state, week, int(mailing.sent_at[person, week]))
                topic, variant = mailing.topic[a, week], mailing.variant[a, week]
            else:
                instant = instant_after(state, week, int(created[person]))
                topic = PRICING_TOPIC if kind == PRICING_PAGE else _topic(state, favourite)
                variant = int(uniform(state) * VARIANT_COUNT)
            _write(records[row], person, instant, kind)
            records[row].topic, records[row].variant = topic, variant
            if delivery.known_at[row] > 0:
                records[row].known_at, records[row].late = delivery.known_at[row], True
    return records


@kernel
def call_records(story: Story, created: Counts, key: np.uint64) -> Records:
    """List one `sales_call` per call of the story, to one of the people present (`Stream.CALLS`)."""
    records = np.empty(np.count_nonzero(story.call), RECORD)
    state = np.empty(4, np.uint64)
    used = 0
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        account = story.accounts[a]
        present = account.people_start
        for week in range(min(story.call.shape[1], account.won_week + 1)):
            while present < account.people_end and story.people[present].arrival <= week:
                present += 1
            if story.call[a, week] and present > account.people_start:
                chosen = account.people_start + int(uniform(state) * (present - account.people_start))
                _write(records[used], chosen, instant_after(state, week, int(created[chosen])), SALES_CALL)
                used += 1
    return records[:used].copy()


@kernel
def scanner_records(story: Story, model: Model, mailing: Mailing, key: np.uint64) -> Records:
    """List what mail filters do: open and click 1 to 4 seconds after a mail was sent (`Stream.SCANNERS`)."""
    records = np.empty(2 * np.count_nonzero(mailing.sent_at), RECORD)
    state = np.empty(4, np.uint64)
    used = 0
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        if uniform(state) >= model.scanner_account_share:
            continue
        for p in range(story.accounts[a].people_start, story.accounts[a].people_end):
            for week in range(mailing.sent_at.shape[1]):
                if mailing.sent_at[p, week] == 0:
                    continue
                for kind in (EMAIL_OPEN, EMAIL_CLICK):
                    if uniform(state) < model.scanner_chance:
                        instant = mailing.sent_at[p, week] + SECOND + int(uniform(state) * 3.0 * SECOND)
                        _write(records[used], p, instant, kind)
                        records[used].topic = mailing.topic[a, week]
                        records[used].variant = mailing.variant[a, week]
                        used += 1
    return records[:used].copy()


@part
def _topic(state: NDArray[np.uint64], favourite: int) -> int:
    if uniform(state) < FAVOURITE_SHARE:
        return favourite
    return int(uniform(state) * TOPIC_COUNT)


@part
def _write(record: Record, person: int, instant: int, kind: int) -> None:
    """Write a touch that is known at once."""
    record.person, record.kind = person, kind
    record.occurred_at, record.known_at = instant, instant
    record.topic, record.variant, record.late = 0, 0, False
