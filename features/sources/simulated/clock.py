"""Clock: from week numbers to plausible instants, as int64 microseconds since 1970 (UTC).

Week 0 starts on Monday 2 January 2023, 00:00 UTC. People register from Monday 06:00 on, act from Monday 07:00 to Friday
18:00, mails leave on Tuesday or Thursday morning, and deals move on Thursday and Friday.
"""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from touchline.features.sources.simulated.streams import part, uniform

START = datetime(2023, 1, 2, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
WEEK = 7 * DAY
START_US = int(START.timestamp()) * SECOND
HUMAN_DELAY = 2 * MINUTE  # no person opens a mail sooner


def week_start(week: int) -> datetime:
    """Start of a week, Monday 00:00 UTC."""
    return START + timedelta(weeks=week)


def week_of(as_of: date, weeks: int) -> int:
    """Week number that starts at `as_of`; a `ValueError` unless it is one of the Mondays 1 .. `weeks`."""
    week, rest = divmod((as_of - START.date()).days, 7)
    if rest or not 1 <= week <= weeks:
        first, last = week_start(1).date(), week_start(weeks).date()
        raise ValueError(
            f"Truth is known on Mondays from {first} to {last}, the simulated time; {as_of} is none of them."
            " Choose other dates or a world with more weeks."
        )
    return week


@part
def working_instant(state: NDArray[np.uint64], week: int) -> int:
    """Draw an instant from Monday to Friday, 07:00 to 18:00."""
    day = int(uniform(state) * 5.0)
    return START_US + week * WEEK + day * DAY + 7 * HOUR + int(uniform(state) * 11.0 * HOUR)


@part
def instant_after(state: NDArray[np.uint64], week: int, created: int) -> int:
    """Draw a working instant after `created`; if the first draw is not, one evenly until Friday 18:00."""
    instant = working_instant(state, week)
    share = uniform(state)
    if instant <= created:
        friday = START_US + week * WEEK + 4 * DAY + 18 * HOUR
        instant = created + SECOND + int(share * (friday - created - SECOND))
    return instant


@part
def arrival_instant(state: NDArray[np.uint64], week: int) -> int:
    """Draw an instant on Monday between 06:00 and 18:00, before all mails of the week."""
    return START_US + week * WEEK + 6 * HOUR + int(uniform(state) * 12.0 * HOUR)


@part
def send_instant(state: NDArray[np.uint64], week: int) -> int:
    """Draw an instant on Tuesday or Thursday between 06:00 and 09:00."""
    day = 1 + 2 * int(uniform(state) * 2.0)
    return START_US + week * WEEK + day * DAY + 6 * HOUR + int(uniform(state) * 3.0 * HOUR)


@part
def reading_instant(state: NDArray[np.uint64], week: int, sent: int) -> int:
    """Draw when a person reacts to a mail: two minutes to the end of the week after it, evenly on the log scale."""
    room = START_US + (week + 1) * WEEK - SECOND - sent
    return sent + int(HUMAN_DELAY * np.exp(uniform(state) * np.log(room / HUMAN_DELAY)))


@part
def deal_instant(state: NDArray[np.uint64], week: int, closes: bool) -> int:
    """Draw an instant on Thursday (a deal opens) or Friday (it closes) between 09:00 and 17:00."""
    day = 4 if closes else 3
    return START_US + week * WEEK + day * DAY + 9 * HOUR + int(uniform(state) * 8.0 * HOUR)
