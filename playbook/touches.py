"""The touches: kinds, families, channels, topics, and how machine opens and clicks are told from people's."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from touchline.playbook.base import Duration, Name, Section, Words, meanings


class Family(Section):
    """A group of touch kinds that sales reads as one reason."""

    words: Words


class Kind(Section):
    """One kind of touch."""

    family: Name
    """The group of reasons it belongs to (a name of `[families]`)."""
    direction: Literal["inbound", "outbound", "sales"]
    """Who acted: the prospect, marketing, or sales."""
    engagement: bool
    """Whether it shows interest of the prospect."""
    channel: Name | None = None
    """Channel of touches that bring none themselves (a name of `[channels]`)."""
    raw: list[str] = []
    """Values in the source data that mean this kind; the name itself always does."""
    words: Words
    """What happened, once: "opened an e-mail"."""
    many: Words | None = None
    """What happened, more than once, with `{n}` for the number: "opened {n} e-mails"."""
    none: Words | None = None
    """What did not happen: "opened no e-mail"."""

    def raw_values(self, name: str) -> list[str]:
        """All source values that mean the kind called `name`."""
        return meanings(name, self.raw)


class Channel(Section):
    """Where a touch happens."""

    raw: list[str] = []
    """Values in the source data that mean this channel; the name itself always does."""
    words: Words

    def raw_values(self, name: str) -> list[str]:
        """All source values that mean the channel called `name`."""
        return meanings(name, self.raw)


class Topic(Section):
    """What a touch or an asset is about."""

    raw: list[str] = []
    """Values in the source data that mean this topic; the name itself always does."""
    words: Words

    def raw_values(self, name: str) -> list[str]:
        """All source values that mean the topic called `name`."""
        return meanings(name, self.raw)


class Scanners(Section):
    """How mail security scanners are recognised: their opens and clicks become `machine`, never engagement.

    A touch of `opens` or `clicks` is a machine's if it comes within `after_send` of a touch of `sends` to the same
    lead, or if it is one of at least `burst_links` clicks of the lead within `burst_within`.
    """

    sends: list[Name]
    opens: list[Name]
    clicks: list[Name]
    after_send: Duration = timedelta(seconds=5)
    burst_links: Annotated[int, Field(ge=2)] = 4
    burst_within: Duration = timedelta(seconds=1)
