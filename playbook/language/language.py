"""`Language`: messages, numbers, dates and lists as one language writes them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib import resources
from typing import Final

CODES: Final = ("en", "fr")
"""Languages there are; messages in the source are in the first."""

_LOCALES = {"en": "en_GB", "fr": "fr"}
"""Whose numbers, dates and lists are written: "12 March", "a, b and c"."""
_MINUS = "\N{MINUS SIGN}"
_NARROW, _NO_BREAK = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
_ANY_SPACE = f"[ {_NARROW}{_NO_BREAK}]+"
_MARK = re.compile("[;!?%:«»]")
_BEFORE_MARK = re.compile(f"{_ANY_SPACE}(?=[;!?%])")
_BESIDE_MARK = re.compile(f"{_ANY_SPACE}(?=[:»])|(?<=«){_ANY_SPACE}")


class _NoTranslation(NullTranslations):
    """Asked when a catalogue has no such message: every message of the source must have one, and a test sees to it."""

    def gettext(self, message: str) -> str:
        raise KeyError(f"no translation of {message!r}; add it to the .po file and compile it")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:  # noqa: ARG002  # as gettext calls it
        raise KeyError(f"no translation of {msgid1!r} / {msgid2!r}; add it to the .po file and compile it")


class Language:
    """One language; take it from `Language.of`."""

    code: str
    """Its code, as in a playbook's `languages`."""

    def __init__(self, code: str) -> None:
        self.code = code
        catalogue = resources.files("touchline.playbook.language").joinpath(f"{code}.mo")
        with catalogue.open("rb") as file:
            self._messages = GNUTranslations(file)
        if code != CODES[0]:
            self._messages.add_fallback(_NoTranslation())

    @staticmethod
    def of(code: str) -> Language:
        """The language of a code, read once.

        Raises
        ------
        ValueError
            If there is no such language.
        """
        return _language(code)

    def say(self, message: str, /, **values: object) -> str:
        """A message of the source in this language, its `{names}` replaced by `values`.

        Raises
        ------
        KeyError
            If the message has no translation, or a value is missing.
        """
        return self.typeset(self._messages.gettext(message).format(**values))

    def count(self, one: str, many: str, n: int, /, **values: object) -> str:
        """The form of a message that belongs to the number `n`, which stands in it as `{n}`; errors as in `say`."""
        said = self._messages.ngettext(one, many, n)
        return self.typeset(said.format(n=self.number(n), **values))

    def typeset(self, text: str) -> str:
        """A text with the spaces that this language's marks ask for, in place of those that stand there.

        In French (Lexique des règles typographiques en usage à l'Imprimerie nationale): a narrow no-break space before
        `; ! ?` and `%`, a no-break space before `:` and inside `« »`.
        """
        if self.code != "fr" or not _MARK.search(text):
            return text
        return _BESIDE_MARK.sub(_NO_BREAK, _BEFORE_MARK.sub(_NARROW, text))

    def number(self, x: float, digits: int = 0) -> str:
        """A number with `digits` decimals: "1,234.5"."""
        return _number(self.code, x, digits)

    def percent(self, p: float, digits: int | None = None) -> str:
        """A share of 1 in percent, with `digits` decimals.

        Without `digits` in whole percent, but never as 0 % or 100 % unless it is: below 1 % and above 99 % with one
        decimal, and what is nearer still as "<0.1%".
        """
        hundredths = 100 * p
        if digits is None:
            if 0 < hundredths < 0.05:
                return self.say("<{share}", share=self.percent(0.001, 1))
            if 99.95 < hundredths < 100:
                return self.say(">{share}", share=self.percent(0.999, 1))
            digits = 1 if 0 < hundredths < 0.95 or 99.05 < hundredths < 100 else 0
        return self.say("{n}%", n=self.number(hundredths, digits))

    def points(self, x: float) -> str:
        """A difference in whole points, with its sign: "+9", "0", and a true minus before losses."""
        said = self.number(x)
        return said if said[0] in (_MINUS, "0") else f"+{said}"

    def date(self, d: date, today: date | None = None) -> str:
        """A day: "12 March", with the year unless it is the year of `today`."""
        return _date(self.code, d, today is None or d.year != today.year)

    def ago(self, d: date, today: date) -> str:
        """How long ago a day was: in days up to two weeks, then in weeks, from two months in months, then in years.

        Raises
        ------
        ValueError
            If the day lies after `today`.
        """
        days = (today - d).days
        if days < 0:
            raise ValueError(f"{d} is not past on {today}; give a day that is")
        if days == 0:
            return self.say("today")
        if days == 1:
            return self.say("yesterday")
        if days < 14:
            return self.count("{n} day ago", "{n} days ago", days)
        if days < 61:
            return self.count("{n} week ago", "{n} weeks ago", round(days / 7))
        if days < 700:
            return self.count("{n} month ago", "{n} months ago", round(days / 30.44))
        return self.count("{n} year ago", "{n} years ago", round(days / 365.25))

    def listed(self, items: Iterable[str]) -> str:
        """Several things in one phrase: "a, b and c"."""
        from babel.lists import format_list

        return format_list(list(items), locale=_LOCALES[self.code])

    def __repr__(self) -> str:
        return f"Language.of({self.code!r})"

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _language, (self.code,)


@cache
def _language(code: str) -> Language:
    if code not in CODES:
        raise ValueError(f"there is no language {code!r}; use one of {', '.join(CODES)}")
    return Language(code)


@lru_cache(maxsize=4096)
def _number(code: str, x: float, digits: int) -> str:
    from babel.numbers import format_decimal  # Babel takes as long to import as all else together

    rounded = round(x, digits) or 0  # never a negative zero
    pattern = f"#,##0.{'0' * digits}" if digits else "#,##0"
    return format_decimal(rounded, format=pattern, locale=_LOCALES[code]).replace("-", _MINUS)


@lru_cache(maxsize=4096)
def _date(code: str, d: date, with_year: bool) -> str:
    from babel.dates import format_date

    said = format_date(d, "d MMMM y" if with_year else "d MMMM", locale=_LOCALES[code])
    return f"1er{said[1:]}" if code == "fr" and d.day == 1 else said  # the one ordinal among French days
