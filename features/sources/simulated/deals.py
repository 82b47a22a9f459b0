"""Deals and journey: when deals open and close, and which stages the people pass through.

The journey is decoration: it follows from what the log and the deals show, plus noise of its own, so it tells nothing
that they do not.
"""

from typing import NamedTuple

import numpy as np

from touchline.features.sources.simulated.clock import DAY, HOUR, START_US, WEEK, deal_instant
from touchline.features.sources.simulated.dynamics import Records
from touchline.features.sources.simulated.kinds import HIGH_INTENT_KINDS
from touchline.features.sources.simulated.story import NO_DEAL, OPEN_DEAL, WON_DEAL, Counts, Story
from touchline.features.sources.simulated.streams import kernel, normal, part, restart, uniform

OPEN, WON, LOST = 0, 1, 2
LEAD, MQL, SAL, RECYCLED, OPPORTUNITY, STAGE_WON, STAGE_LOST = 0, 1, 2, 3, 4, 5, 6
STAGES = ("lead", "mql", "sal", "recycled", "opportunity", "won", "lost")
REASONS = ("no_budget", "bad_timing", "wrong_person", "no_answer")
WRONG_PERSON, NO_REASON = 2, -1

DEAL = np.dtype(
    [
        ("account", np.int32),  # position in the block
        ("opened_at", np.int64),  # microseconds
        ("closed_at", np.int64),  # 0 while open
        ("outcome", np.int8),  # OPEN, WON or LOST
        ("amount", np.float64),  # EUR, of won deals only
    ]
)
STEP = np.dtype(
    [
        ("person", np.int32),
        ("stage", np.int8),  # position in STAGES
        ("entered_at", np.int64),  # microseconds
        ("reason", np.int8),  # position in REASONS or NO_REASON
    ]
)


class Span(NamedTuple):
    """Which deals belong to an account: start .. end."""

    start: int
    end: int


@kernel
def list_deals(story: Story, key: np.uint64) -> Records:
    """List the deals of the story, in order of account and time (`Stream.DEALS`)."""
    deals = np.zeros(_count_deals(story), DEAL)
    state = np.empty(4, np.uint64)
    used = -1
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        for week in range(story.deal.shape[1] - 1):
            before, after = story.deal[a, week], story.deal[a, week + 1]
            if before == NO_DEAL and after == OPEN_DEAL:
                used += 1
                deals[used].account = a
                deals[used].opened_at = deal_instant(state, week, False)
            elif before == OPEN_DEAL and after != OPEN_DEAL:
                deals[used].closed_at = deal_instant(state, week, True)
                deals[used].outcome = WON if after == WON_DEAL else LOST
                if after == WON_DEAL:
                    deals[used].amount = _amount(normal(state), story.accounts[a].employees)
    return deals


@part
def _count_deals(story: Story) -> int:
    count = 0
    for a in range(story.accounts.size):
        for week in range(story.deal.shape[1] - 1):
            count += story.deal[a, week] == NO_DEAL and story.deal[a, week + 1] == OPEN_DEAL
    return count


@part
def _amount(noise: float, employees: int) -> float:
    """EUR, lognormal around 2,000 times the square root of the number of employees, in whole tens."""
    return 10.0 * np.rint(200.0 * np.sqrt(employees) * np.exp(0.6 * noise)) + 10.0


@kernel
def list_journey(
    story: Story, created: Counts, touches: Records, touch_order: Counts, deals: Records, key: np.uint64
) -> Records:
    """List the stages of each person, in order of person and time (`Stream.JOURNEY`).

    Parameters
    ----------
    story
        N accounts, P people.
    created : (P,) array
        Microseconds.
    touches : (M,) array of `records.RECORD`
        Human touches that reached the log.
    touch_order : (M,) array
        Order of `touches` by time of knowledge.
    deals : array of `DEAL`
    key
        Key of `Stream.JOURNEY`.
    """
    end = START_US + (story.deal.shape[1] - 1) * WEEK
    qualified = _first_high_intent(story, touches, touch_order)
    steps = np.empty(4 * story.people.size + _count_deal_steps(story, deals), STEP)
    state = np.empty(4, np.uint64)
    used = 0
    span_end = 0
    for a in range(story.accounts.size):
        restart(state, key, story.first_account + a)
        span_start = span_end
        while span_end < deals.size and deals[span_end].account == a:
            span_end += 1
        span = Span(span_start, span_end)
        for p in range(story.accounts[a].people_start, story.accounts[a].people_end):
            used = _step(steps, used, p, LEAD, created[p], NO_REASON)
            limit = _first_opening(deals, span, created[p], end)
            used = _before_deals(steps, used, p, qualified[p], limit, state)
            used = _through_deals(steps, used, p, created[p], deals, span, story.people[p].attached)
    return steps[:used].copy()


@part
def _first_high_intent(story: Story, touches: Records, touch_order: Counts) -> Counts:
    """When the log first knew of a high-intent touch of each person (P,); 0 if never."""
    first = np.zeros(story.people.size, np.int64)
    for position in range(touch_order.size):
        touch = touches[touch_order[position]]
        if first[touch.person] == 0 and touch.kind in HIGH_INTENT_KINDS:
            first[touch.person] = touch.known_at
    return first


@part
def _count_deal_steps(story: Story, deals: Records) -> int:
    count = 0
    for row in range(deals.size):
        account = story.accounts[deals[row].account]
        count += 2 * (account.people_end - account.people_start)
    return count


@part
def _step(steps: Records, used: int, person: int, stage: int, entered_at: int, reason: int) -> int:
    steps[used].person, steps[used].stage = person, stage
    steps[used].entered_at, steps[used].reason = entered_at, reason
    return used + 1


@part
def _first_opening(deals: Records, span: Span, created: int, end: int) -> int:
    """When the account first has an open deal with the person there; `end` if never."""
    for row in range(span.start, span.end):
        if deals[row].closed_at == 0 or deals[row].closed_at > created:
            return max(deals[row].opened_at, created)
    return end


@part
def _before_deals(
    steps: Records,
    used: int,
    person: int,
    qualified: int,
    limit: int,
    state: np.ndarray[tuple[int], np.dtype[np.uint64]],
) -> int:
    """Qualification by marketing, acceptance by sales 1 to 3 days later, and for some the way back with a reason."""
    accepted = qualified + DAY + int(uniform(state) * 2.0 * DAY)
    recycled = accepted + 7 * DAY + int(uniform(state) * 28.0 * DAY)
    accepts, recycles, reason = uniform(state) < 0.8, uniform(state) < 0.3, int(uniform(state) * len(REASONS))
    if qualified == 0 or qualified >= limit:
        return used
    used = _step(steps, used, person, MQL, qualified, NO_REASON)
    if accepts and accepted < limit:
        used = _step(steps, used, person, SAL, accepted, NO_REASON)
        if recycles and recycled < limit:
            used = _step(steps, used, person, RECYCLED, recycled, reason)
    return used


@part
def _through_deals(
    steps: Records, used: int, person: int, created: int, deals: Records, span: Span, attached: bool
) -> int:
    """Opportunity when a deal opens, then lost or won; who is not on the won deal is recycled as the wrong person."""
    for row in range(span.start, span.end):
        deal = deals[row]
        took_part = created < deal.opened_at
        if took_part:
            used = _step(steps, used, person, OPPORTUNITY, deal.opened_at, NO_REASON)
        if deal.outcome == WON and attached:
            used = _step(steps, used, person, STAGE_WON, deal.closed_at, NO_REASON)
        elif deal.outcome == WON and took_part:
            used = _step(steps, used, person, RECYCLED, deal.closed_at + HOUR, WRONG_PERSON)
        elif deal.outcome == LOST and took_part:
            used = _step(steps, used, person, STAGE_LOST, deal.closed_at, NO_REASON)
    return used
