"""The as-of dates: midnight UTC of every day, Monday, or first of the month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

Every = Literal["day", "week", "month"]


def as_of_dates(first: datetime, last: datetime, every: Every) -> list[datetime]:
    """The dates after `first` and up to `last`.

    >>> from datetime import UTC, datetime
    >>> dates = as_of_dates(datetime(2024, 1, 3, 9, tzinfo=UTC), datetime(2024, 1, 15, tzinfo=UTC), "week")
    >>> [d.date().isoformat() for d in dates]
    ['2024-01-08', '2024-01-15']
    """
    day = _start(first.astimezone(UTC).date(), every)
    dates: list[datetime] = []
    while (moment := datetime(day.year, day.month, day.day, tzinfo=UTC)) <= last:
        if moment > first:
            dates.append(moment)
        day = _next(day, every)
    return dates


def _start(day: date, every: Every) -> date:
    if every == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if every == "month" else day


def _next(day: date, every: Every) -> date:
    if every == "month":
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day + timedelta(days=7 if every == "week" else 1)
