"""What a comparison shows of itself in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from touchline.models.evaluation.catalog import METRICS

if TYPE_CHECKING:
    from touchline.models.evaluation.comparison import Basis, Comparison

_LEFT = "style='text-align:left'"
_SMALL = "style='font-size:80%;opacity:.7;white-space:nowrap'"


def show(comparison: Comparison) -> str:
    """The comparison as HTML: what it stands on, every metric, each model against the reference."""
    shown = [
        name
        for name in METRICS
        if any(np.isfinite(comparison.interval(model, name).value) for model in comparison.models)
    ]
    judged = [name for name in shown if METRICS[name].better != "neither"]
    parts = [f"<div><b>Comparison of {len(comparison.metrics)} models</b>", f"<p>{_basis(comparison)}</p>"]
    parts.append(_table(shown, [(model, _values(comparison, model, shown)) for model in comparison.models]))
    others = [model for model in comparison.models if model != comparison.reference]
    if others:
        parts.append(f"<p style='margin:.8em 0 .2em'>Minus <b>{escape(comparison.reference)}</b>, on the same rows</p>")
        parts.append(_table(judged, [(model, _differences(comparison, model, judged)) for model in others]))
    parts.append(f"<p {_SMALL}>Intervals of 95 %: accounts redrawn {comparison.basis.draws:,} times.</p></div>")
    return "".join(parts)


def _basis(comparison: Comparison) -> str:
    b = comparison.basis
    leads = "" if b.leads is None else f" of {b.leads:,} leads"
    won = "" if b.won_leads is None else f" of {b.won_leads:,} leads"
    rate, low, high = comparison.base_rate
    return (
        f"{b.rows:,} rows{leads} in {b.accounts:,} accounts; won: {b.won_rows:,} rows{won} in "
        f"<b>{b.won_accounts:,} accounts</b>. Base rate {rate:.2%} <span {_SMALL}>{low:.2%} to {high:.2%}</span>. "
        f"{b.dates:,} as-of dates from {b.first} to {b.last}; capacity: {capacity(b)}"
        f"{'; rows are weighted' if b.weighted else ''}."
    )


def capacity(basis: Basis) -> str:
    """The capacity in words."""
    if isinstance(basis.capacity, float):
        return f"the best {basis.capacity:.1%} of each date"
    return f"the best {basis.capacity:,} leads of each date ({basis.called:.1%})"


def figure(value: float, digits: int, *, sign: bool = False) -> str:
    """A number as text; a dash where there is none."""
    if not np.isfinite(value):
        return "—"
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _values(comparison: Comparison, model: str, names: list[str]) -> list[str]:
    return [_cell(*comparison.interval(model, name), METRICS[name].digits) for name in names]


def _differences(comparison: Comparison, model: str, names: list[str]) -> list[str]:
    cells: list[str] = []
    for name in names:
        value, low, high, better = comparison.difference(model, name)
        likely = f"<br><span {_SMALL}>better: {better:.1%}</span>" if np.isfinite(better) else ""
        cells.append(_cell(value, low, high, METRICS[name].digits, sign=True) + likely)
    return cells


def _cell(value: float, low: float, high: float, digits: int, *, sign: bool = False) -> str:
    text = figure(value, digits, sign=sign)
    if not (np.isfinite(low) and np.isfinite(high)):
        return text
    return f"{text}<br><span {_SMALL}>{figure(low, digits, sign=sign)} to {figure(high, digits, sign=sign)}</span>"


def _table(names: list[str], rows: list[tuple[str, list[str]]]) -> str:
    head = "".join(f"<th>{escape(METRICS[name].words)}</th>" for name in names)
    body = "".join(
        f"<tr><th {_LEFT}>{escape(model)}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        for model, cells in rows
    )
    return f"<table><thead><tr><th {_LEFT}>model</th>{head}</tr></thead><tbody>{body}</tbody></table>"
