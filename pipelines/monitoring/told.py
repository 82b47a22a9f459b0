"""The result as tables of words, once for the terminal and for the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from touchline.models.evaluation import Interval
    from touchline.pipelines.monitor import Monitoring

_DECILE = ("tenth", "leads", "won", "chance", "came true")


class Told(NamedTuple):
    """A table: its title, a line below it, the heads of its columns, and rows of words; the first column is a name."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]


def tables_of(result: Monitoring) -> list[Told]:
    """Everything that was looked at; tables without a row are left out."""
    tables = [_nights(result), _deciles(result), _families(result), _volumes(result), _kinds(result),
              _passages(result), _figures(result), _answers(result)]  # fmt: skip
    return [table for table in tables if table.rows]


def number(value: float, form: str = ",.1f") -> str:
    """A number as text; a dash where there is none."""
    return format(value, form) if math.isfinite(value) else "-"


def share(value: float) -> str:
    """A share in per cent."""
    return number(value, ".0%")


def _between(interval: Interval, form: str) -> str:
    value, low, high = (number(v, form) for v in interval)
    return f"{value} ({low} to {high})"


def _below(interval: Interval, form: str) -> str:
    """The ends below the value, where room is short."""
    value, low, high = (number(v, form) for v in interval)
    return f"{value}\n{low} - {high}"


def _nights(result: Monitoring) -> Told:
    rows = [
        (
            f"{n.as_of:%Y-%m-%d}",
            n.version,
            f"{n.leads:,}",
            number(n.expected),
            f"{n.realised.won:,} of {number(n.realised.expected)}" if n.realised else f"known\n{n.known_on:%Y-%m-%d}",
            _below(n.realised.observed_expected, ".2f") if n.realised else "",
            _below(n.realised.capture, ".0%") if n.realised else "",
            number(n.drift.psi, ".3f") if n.drift else "",
            number(n.drift.jensen_shannon, ".3f") if n.drift else "",
        )
        for n in result.nights
    ]
    heads = ("as of", "version", "leads", "expected", "won, of expected", "won / expected", "wins called", "PSI", "JS")
    note = (
        "Won, of expected: of leads whose outcome is known. Wins called: among as many as sales can call in a week. "
        "PSI and Jensen-Shannon divergence: scores against the batch before."
    )
    return Told("Batches", note, heads, rows)


def _deciles(result: Monitoring) -> Told:
    whole = result.outcomes
    if whole is None:
        return Told("", "", _DECILE, [])
    of = whole.realised
    note = (
        f"{of.dates:,} batches a week apart, {of.rows:,} leads, {of.left_out:,} left out: won / expected "
        f"{_between(of.observed_expected, '.2f')}, calibration slope {_between(whole.slope, '.2f')}, intercept "
        f"{_between(whole.intercept, '.2f')}, wins called {_between(of.capture, '.0%')}"
    )
    rows = [
        (str(int(d["part"])), number(d["rows"], ",.0f"), number(d["won"]), number(d["expected"], ".2%"),
         number(d["observed"], ".2%"))
        for d in whole.deciles
    ]  # fmt: skip
    return Told("What came of the chances, the best tenth first", note, _DECILE, rows)


def _families(result: Monitoring) -> Told:
    rows = [(f.words, number(f.before), number(f.now), number(f.change, "+.0%")) for f in result.families]
    since = f"{result.reference:%Y-%m-%d}" if result.reference else "before"
    note = "By how many points a family moves a score, up or down, in the mean of all leads."
    if result.drift is not None:
        note += (
            f" All scores since {since}: PSI {result.drift.psi:.3f}, Jensen-Shannon {result.drift.jensen_shannon:.3f}."
        )
    return Told("What each family says", note, ("family", since, "now", "change"), rows)


def _volumes(result: Monitoring) -> Told:
    volumes = result.volumes
    rows = [(tier, f"{n:,}") for tier, n in volumes.tiers.items()]
    if volumes.capacity is not None:
        rows.append(("sales can call in a week", f"{volumes.capacity:,}"))
    if volumes.above_threshold is not None:
        rows.append(("at the threshold or above", f"{volumes.above_threshold:,}"))
    return Told("Leads by tier", "Of the newest batch.", ("tier", "leads"), rows)


def _kinds(result: Monitoring) -> Told:
    rows = [(k.words, k.channel, f"{k.last:,}", number(k.usual, ",.0f")) for k in result.touches.kinds]
    m = result.touches.machines
    note = (
        f"In the 7 days before {result.data_end:%Y-%m-%d}. Machines made {share(m.last_7_days)} of the inbound touches "
        f"of 7 days, {share(m.last_30_days)} of 30 days, {share(m.before)} in the quarter before."
    )
    return Told("Touches", note, ("kind", "feed", "last week", "usual week"), rows)


def _passages(result: Monitoring) -> Told:
    rows = [
        (f"{p.step} to {p.then}", f"{p.entered:,}", f"{p.passed:,}", share(p.rate), share(p.rate_before))
        for p in result.teams.passages
    ]
    note = "Leads that came to a step in the last quarter, and passed on within it."
    return Told("From lead to won", note, ("step", "came", "passed on", "share", "quarter before"), rows)


def _figures(result: Monitoring) -> Told:
    def figure(name: str, value: float) -> str:
        return share(value) if name.endswith(("share", "rate")) else number(value)

    rows = [
        (f.words, f.owner, figure(f.name, f.value), figure(f.name, f.before),
         "-" if f.target is None else figure(f.name, f.target), "missed" if f.missed else "")
        for f in result.teams.figures
    ]  # fmt: skip
    return Told("Agreed numbers", "", ("number", "whose", "last quarter", "quarter before", "target", ""), rows)


def _answers(result: Monitoring) -> Told:
    t = result.teams
    rows = [
        ("answered in time", share(t.kept)),
        ("open beyond their time", f"{t.overdue:,}"),
        ("hours to the first contact by sales", number(t.to_first_contact)),
        ("not contacted yet", f"{t.not_contacted:,}"),
        *((f"sent back: {reason}", f"{n:,}") for reason, n in t.reasons.items()),
    ]
    return Told("Hand-offs of the last quarter", "", ("", ""), rows)
