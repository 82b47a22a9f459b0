"""The features that everybody computes, as plain data: 61 over touches, and as many others to see how cost grows.

A window of `days` holds what happened in `[as_of - days, as_of)`. Every touch is known at once, and a person's: that
Touchline asks when a touch was known, and whether a machine made it, costs it time and makes no difference here.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

KINDS = ("email_open", "email_click", "page_view", "form_fill", "webinar", "call", "meeting", "demo_request")
CHANNELS = ("email", "web", "phone", "event", "ads", "social")
DAY = 86_400_000_000
"""Microseconds in a day."""

What = Literal[
    "count", "sum", "since_last", "since_first", "decayed", "distinct", "first", "last", "account_count"
]  # fmt: skip


class Feature(NamedTuple):
    """One feature of the touches of a lead (of its whole account, for `account_count`)."""

    what: What
    kind: str = ""
    """Only touches of this kind; of all kinds if empty."""
    days: int = 0
    """Length of the window, or half-life; 0 is all of history."""
    of: str = ""
    """What `distinct`, `first` and `last` look at."""

    @property
    def name(self) -> str:
        """Its column in every result."""
        if self.what in ("first", "last"):
            return f"{self.what}_{self.of}"
        middle = self.of or self.kind or "any"
        return f"{self.what}_{middle}_{self.days}d" if self.days else f"{self.what}_{middle}"

    @property
    def is_text(self) -> bool:
        """Whether it is a category."""
        return self.what in ("first", "last")

    @property
    def is_whole(self) -> bool:
        """Whether it is a whole number, that must be met exactly."""
        return self.what in ("count", "distinct", "account_count")


def over_windows(windows: tuple[int, ...], half_life: int, span: int) -> list[Feature]:
    """Counts, sums and decayed sums over these windows; distinct campaigns and the account's touches over `span`."""
    found = [Feature("count", kind, days) for kind in KINDS for days in windows]
    found += [Feature("count", "", days) for days in windows]
    found += [Feature("sum", "", days) for days in windows]
    found += [Feature("decayed", kind, half_life) for kind in ("", *KINDS)]
    return [*found, Feature("distinct", "", span, "campaign"), Feature("account_count", "", span)]


WINDOWS = (7, 30, 90, 365)
HALF_LIFE = 14
SPAN = 90
"""Window of distinct campaigns, and of the account's touches."""
FEATURES = (
    *over_windows(WINDOWS, HALF_LIFE, SPAN),
    *(Feature("since_last", kind) for kind in KINDS),
    Feature("first", of="channel"),
    Feature("last", of="channel"),
)
"""The 61."""
OTHERS = (
    *over_windows((14, 60, 180, 540), 45, 180),
    *(Feature("since_first", kind) for kind in KINDS),
    Feature("first", of="kind"),
    Feature("last", of="kind"),
)
"""61 more: other windows, another half-life, and the first of what FEATURES have the last of."""
SETS = {len(FEATURES): FEATURES, len(FEATURES) + len(OTHERS): (*FEATURES, *OTHERS)}
"""By their number."""
