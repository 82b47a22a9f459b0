"""What a set shows of itself in a notebook: what a scientist asks first, on one screen, without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from touchline.features.training.sets import FeatureSet

_WIDTH, _HEIGHT = 560, 90


def show(data: FeatureSet) -> str:
    """The set as HTML."""
    m = data.manifest
    spans = m["windows"]
    facts = [
        ("rows", f"{m['rows']:,} of {m['leads']:,} leads"),
        ("as of", _period(m["counts"], m["kind"])),
        ("features", f"{len(m['features'])} in {len(m['families'])} families"),
        ("data until", spans["data_end"][:10]),
    ]
    if m["kind"] == "training":
        total = sum(sum(v for k, v in c.items() if k != "as_of") for c in m["counts"])
        immature = sum(c["immature"] for c in m["counts"])
        facts[1:1] = [
            ("won", f"{sum(c['won'] for c in m['counts']):,} rows, {m['won_deals']:,} deals; {_rate(m['counts']):.2%}"),
            (
                "window",
                f"from {spans['gap_days']:g} to {spans['gap_days'] + spans['horizon_days']:g} days after as_of",
            ),
            ("deals are known", f"{spans['label_lag_days']:g} days after their end"),
            ("left out", f"{immature:,} immature ({immature / max(1, total):.0%}), " + _left_out(m["counts"])),
        ]
    rows = "".join(
        f"<tr><th style='text-align:left'>{a}</th><td style='text-align:left'>{b}</td></tr>" for a, b in facts
    )
    chart = _chart(m["counts"]) if m["kind"] == "training" else ""
    title = f"{type(data).__name__} <code>{m['digest'][:12]}</code>"
    return f"<div><b>{title}</b><table>{rows}</table>{chart}{_missing(m)}</div>"


def _period(counts: list[dict[str, Any]], kind: str) -> str:
    used = [c["as_of"] for c in counts if kind == "scoring" or c["won"] + c["not_won"]]
    if not used:
        return ""
    first, last = used[0][:10], used[-1][:10]
    return first if first == last else f"{first} to {last}, {len(used)} dates"


def _rate(counts: list[dict[str, Any]]) -> float:
    won = sum(c["won"] for c in counts)
    return won / max(1, won + sum(c["not_won"] for c in counts))


def _left_out(counts: list[dict[str, Any]]) -> str:
    closed, dealing = (sum(c[s] for c in counts) for s in ("already_closed", "open_deal"))
    return f"{closed:,} already closed, {dealing:,} with an open deal"


def _chart(counts: list[dict[str, Any]]) -> str:
    """Base rate by as-of date; dates whose rows are immature are grey."""
    rates = [c["won"] / (c["won"] + c["not_won"]) if c["won"] + c["not_won"] else 0.0 for c in counts]
    top = max(rates, default=0) or 1
    width = _WIDTH / max(1, len(counts))
    bars = "".join(
        f"<rect x='{i * width:.1f}' y='{_HEIGHT * (1 - r / top):.1f}' width='{max(width - 0.5, 0.5):.1f}' "
        f"height='{_HEIGHT * r / top:.1f}' fill='#2a6f97'><title>{c['as_of'][:10]}: {r:.2%} of "
        f"{c['won'] + c['not_won']:,}</title></rect>"
        if c["won"] + c["not_won"]
        else f"<rect x='{i * width:.1f}' y='{_HEIGHT - 6}' width='{max(width - 0.5, 0.5):.1f}' height='6' fill='#bbb'>"
        f"<title>{c['as_of'][:10]}: no row is mature</title></rect>"
        for i, (c, r) in enumerate(zip(counts, rates, strict=True))
    )
    return (
        f"<p style='margin:.6em 0 0'>Base rate by as_of, up to {top:.2%} (grey: immature)</p>"
        f"<svg width='{_WIDTH}' height='{_HEIGHT}' role='img' aria-label='base rate by as-of date'>{bars}</svg>"
    )


def _missing(m: dict[str, Any]) -> str:
    language = next(iter(next(iter(m["families"].values()), {"en": ""})), "en")
    rows = ""
    for family, words in m["families"].items():
        shares = [f["missing"] for f in m["features"] if f["family"] == family]
        often = sum(share > 0.5 for share in shares)
        rows += (
            f"<tr><td style='text-align:left'>{escape(words[language])}</td><td>{len(shares)}</td>"
            f"<td>{sum(shares) / len(shares):.0%}</td><td>{often or ''}</td></tr>"
        )
    head = "<tr><th style='text-align:left'>family</th><th>features</th><th>missing</th><th>mostly missing</th></tr>"
    return f"<table style='margin-top:.6em'>{head}{rows}</table>"
