"""Touch kinds: what a person, marketing or sales can do, and which table values each kind carries."""

from typing import NamedTuple

EMAIL_OPEN, EMAIL_CLICK, WEB_VISIT, CONTENT_DOWNLOAD, PRICING_PAGE = 0, 1, 2, 3, 4
WEBINAR, DEMO_REQUEST, EVENT, EMAIL_UNSUBSCRIBE, EMAIL_SENT, SALES_CALL = 5, 6, 7, 8, 9, 10


class Kind(NamedTuple):
    """How a touch kind appears in the tables."""

    name: str
    channel: str  # email, web, event, phone
    direction: str  # inbound, outbound, sales
    has_campaign: bool
    has_topic: bool
    has_asset: bool


KINDS = (
    Kind("email_open", "email", "inbound", True, True, True),
    Kind("email_click", "email", "inbound", True, True, True),
    Kind("web_visit", "web", "inbound", False, True, False),
    Kind("content_download", "web", "inbound", False, True, True),
    Kind("pricing_page", "web", "inbound", False, True, False),
    Kind("webinar", "event", "inbound", True, True, True),
    Kind("demo_request", "web", "inbound", False, False, False),
    Kind("event", "event", "inbound", True, True, False),
    Kind("email_unsubscribe", "email", "inbound", True, True, True),
    Kind("email_sent", "email", "outbound", True, True, True),
    Kind("sales_call", "phone", "sales", False, False, False),
)
HUMAN_KINDS = tuple(kind.name for kind in KINDS[:EMAIL_SENT])  # those a person's intent drives
HUMAN_COUNT = len(HUMAN_KINDS)
HIGH_INTENT_KINDS = (
    DEMO_REQUEST,
    PRICING_PAGE,
    WEBINAR,
)  # the first of these makes a marketing-qualified lead

# Groups the kernels treat alike
BURST_KINDS = (WEB_VISIT, CONTENT_DOWNLOAD)  # excite themselves
LATE_KINDS = (WEBINAR, EVENT)  # recorded late
MAIL_KINDS = (EMAIL_OPEN, EMAIL_CLICK, EMAIL_UNSUBSCRIBE)  # need a send in the week
