"""The world's parameters: plain numbers with units, no code that runs them.

Intent states are always, in this order: dormant, aware, evaluating, buying. Human touch kinds follow
`kinds.HUMAN_KINDS`. One person belongs to one account; a week starts on Monday 00:00 UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from touchline.features.sources.simulated.kinds import EMAIL_OPEN, EVENT, PRICING_PAGE

INTENTS = ("dormant", "aware", "evaluating", "buying")
ROLES = ("decision", "influencer", "user", "unknown")
INDUSTRIES = ("software", "manufacturing", "logistics", "healthcare", "retail", "public_sector")
REGIONS = ("north_america", "western_europe", "northern_europe", "southern_europe")

_SEASON = tuple(0.5 if week in (50, 51) else 0.8 if 29 <= week <= 32 else 1.0 for week in range(52))
_CLOSING = tuple(1.8 if week in (11, 12) else 0.85 for week in range(13))

Row = tuple[float, ...]
Matrix = tuple[Row, ...]


#: What may differ from week to week; all else, above all who accounts and people are, holds for good.
WEEKLY = (
    "arrival_rate",
    "role_share",
    "weekly_rate",
    "role_multiplier",
    "season",
    "burst_gain",
    "burst_memory",
    "send_chance",
    "call_chance",
    "rise_base",
    "rise_fit",
    "rise_send",
    "fall_chance",
    "opportunity_hazard",
    "opportunity_fit",
    "opportunity_call",
    "win_hazard",
    "win_fit",
    "closing",
    "lose_hazard",
    "hazard_ceiling",
)


@dataclass(frozen=True)
class Drift:
    """A change of the world: from `week` on, the parameters named in `changes` (some of `WEEKLY`) have these values."""

    week: int
    changes: Mapping[str, float | Row | Matrix]


@dataclass(frozen=True)
class World:
    """All parameters of the simulated world; change some with `dataclasses.replace`."""

    # Clock
    weeks: int = 150  # simulated time
    horizon_weeks: int = 13  # a win counts for an as-of date if it falls in the next so many weeks (91 days)
    drift: Drift | None = None  # None: the same world in all weeks

    # Who has an intent, a style, a hidden fit, mails, calls, scanners and deals: the account as a whole (None), or each
    # of so many people by themselves. These share only what is visible of their account; what is said of accounts below
    # then holds for each of them, and a deal is one person's, who is there when it opens
    people_apart: int | None = None

    # Who the accounts are
    industry_share: Row = (0.3, 0.2, 0.2, 0.1, 0.1, 0.1)  # chance of each industry
    industry_fit: Row = (
        0.6,
        0.2,
        0.0,
        -0.2,
        -0.6,
        -0.9,
    )  # fit points (log-hazard scale, before the weights below)
    region_share: Row = (0.25, 0.25, 0.25, 0.25)
    region_fit: Row = (0.0, 0.15, 0.0, 0.0)  # fit points
    log_size_mean: float = 4.5  # ln(employees)
    log_size_sd: float = 1.5
    best_log_size: float = 5.5  # the size the product suits best, ln(employees)
    size_penalty: float = 0.18  # fit points per squared distance to it
    fit_offset: float = 0.25  # fit points
    residual_fit: Row = (-0.9, 0.0, 0.9)  # hidden part of the fit, fit points
    residual_share: Row = (0.25, 0.5, 0.25)
    style: Row = (0.55, 1.6)  # hidden style: multiplies all touch and arrival rates of the account
    style_share: Row = (0.6, 0.4)

    # Who the people are
    max_people: int = 6  # per account, unless they are apart; further arrivals do not register
    arrival_rate: Row = (0.013, 0.028, 0.060, 0.080)  # new people per account and week, by intent
    role_share: Row = (0.15, 0.25, 0.35, 0.25)
    attach_chance: Row = (0.85, 0.60, 0.35, 0.50)  # chance that a person is on the won deal, by role
    free_email_share: float = 0.15
    french_share: float = 0.4

    # What they do: touches per person and week, a row per human kind, a column per intent
    weekly_rate: Matrix = (
        (0.25, 0.35, 0.45, 0.50),  # email_open, only in weeks with a send
        (0.02, 0.05, 0.10, 0.13),  # email_click, only in weeks with a send
        (0.05, 0.20, 0.60, 0.90),  # web_visit
        (0.01, 0.07, 0.17, 0.11),  # content_download
        (0.002, 0.010, 0.08, 0.28),  # pricing_page
        (0.003, 0.02, 0.05, 0.03),  # webinar
        (0.0003, 0.002, 0.010, 0.05),  # demo_request
        (0.004, 0.008, 0.012, 0.012),  # event
        (0.008, 0.004, 0.001, 0.0005),  # email_unsubscribe, only in weeks with a send
    )
    role_multiplier: Matrix = (  # a row per role, a column per human kind
        (0.8, 0.8, 0.6, 0.6, 1.6, 0.8, 1.4, 1.2, 1.0),
        (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
        (1.1, 1.2, 1.3, 1.3, 0.6, 1.2, 0.6, 0.8, 1.0),
        (0.9, 0.8, 0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 1.0),
    )
    season: Row = _SEASON  # multiplies all touch rates, by week of the year
    burst_gain: float = 0.30  # web visits and downloads excite themselves: touches per week and unit of heat
    burst_memory: float = 0.5  # heat <- memory * (heat + touches), each week

    # What marketing and sales do: chances per account and week, whatever the intent
    send_chance: float = 0.35  # a mail to all people of the account
    call_chance: float = 0.05  # a call to one of them

    # How intent moves, per week. Up: logistic(base + fit * weight + send effect); down: constant chances
    rise_base: Row = (-4.3, -3.1, -2.4)  # dormant to aware, aware to evaluating, evaluating to buying
    rise_fit: Row = (0.5, 0.6, 0.6)
    rise_send: Row = (0.9, 0.4, 0.0)
    fall_chance: Matrix = (  # a row per intent left, a column per intent entered
        (0.0, 0.0, 0.0, 0.0),
        (0.06, 0.0, 0.0, 0.0),
        (0.03, 0.07, 0.0, 0.0),
        (0.02, 0.0, 0.07, 0.0),
    )

    # Deals: hazards per account and week, by intent
    opportunity_hazard: Row = (0.0004, 0.002, 0.015, 0.13)  # no open deal -> open deal
    opportunity_fit: float = 0.35  # log-hazard per fit point
    opportunity_call: float = 0.8  # a call in the week multiplies the hazard by 1 + this
    win_hazard: Row = (0.001, 0.006, 0.04, 0.13)  # open deal -> won; the account's story ends
    win_fit: float = 0.45  # log-hazard per fit point
    closing: Row = _CLOSING  # multiplies the win hazard, by week of the quarter: deals close at its end
    lose_hazard: Row = (0.18, 0.10, 0.05, 0.025)  # open deal -> lost; the account is dormant again
    hazard_ceiling: float = 0.6  # no chance per week to open or win exceeds it

    # What the traps are made of
    late_weeks_share: Row = (0.4, 0.3, 0.2, 0.1)  # weeks from a webinar or an event to its record
    scanner_account_share: float = 0.30
    scanner_chance: float = 0.9  # that a scanner opens, or clicks, a mail
    phone_filled_won: float = 0.9  # people on a won deal
    phone_filled_else: float = 0.12
    duplicate_share: float = 0.01  # human touches delivered twice
    duplicate_content_share: float = 0.001  # human touches recorded again under a new touch_id
    merge_share: float = 0.04  # people who try to come a second time under another address


DEFAULT_WORLD = World()

_SAME_RATES = tuple((row[1],) * len(INTENTS) for row in DEFAULT_WORLD.weekly_rate)

#: Nothing to find: no state, fit, role or call changes the hazards or the touches, so the optimum is a base rate given
#: the calendar (the closing weeks of the quarter ahead).
NULL_WORLD = replace(
    DEFAULT_WORLD,
    arrival_rate=(0.028,) * len(INTENTS),
    attach_chance=(0.55,) * len(ROLES),
    weekly_rate=_SAME_RATES,
    opportunity_hazard=(0.006,) * len(INTENTS),
    opportunity_fit=0.0,
    opportunity_call=0.0,
    win_hazard=(0.06,) * len(INTENTS),
    win_fit=0.0,
    lose_hazard=(0.06,) * len(INTENTS),
)

#: Intent lives on the contact: each person has an intent, evidence and deals of their own, so that, given what is
#: visible of the account, colleagues tell nothing of one another.
CONTACT_WORLD = replace(
    DEFAULT_WORLD,
    people_apart=4,
    attach_chance=(1.0,) * len(ROLES),
    # fewer deals per person than per account of the default, for about the same share of leads that are won
    opportunity_hazard=(0.0002, 0.001, 0.0075, 0.065),
    win_hazard=(0.0004, 0.0024, 0.016, 0.052),
)

_RATES_AFTER = {
    EMAIL_OPEN: (0.35,) * len(INTENTS),
    PRICING_PAGE: (0.05,) * len(INTENTS),
    EVENT: (0.002, 0.006, 0.03, 0.25),
}

#: The default world until week 112. From then on mail opens and visits to the pricing page mean nothing, events a lot,
#: and half as many deals open.
DRIFT_WORLD = replace(
    DEFAULT_WORLD,
    drift=Drift(
        112,
        {
            "weekly_rate": tuple(_RATES_AFTER.get(kind, row) for kind, row in enumerate(DEFAULT_WORLD.weekly_rate)),
            "opportunity_hazard": tuple(hazard / 2 for hazard in DEFAULT_WORLD.opportunity_hazard),
        },
    ),
)
