"""The audit as a page: plain HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from touchline.features.audit.codes import Code
from touchline.features.audit.findings import SEVERITIES, Figures, Finding, Severity

_WORDS: dict[Severity, str] = {
    "block": "Must be mended",
    "warn": "Must be looked at",
    "note": "Worth knowing",
    "ok": "Looked at, and fine",
}
_COLOURS: dict[Severity, str] = {"block": "#a4161a", "warn": "#9a6700", "note": "#2a6f97", "ok": "#2d6a4f"}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; width: 100%; }
"""


def page(findings: Sequence[Finding], about: Figures) -> str:
    """A page of its own."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Audit for leaks</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body>{body(findings, about)}</body></html>\n"
    )


def body(findings: Sequence[Finding], about: Figures) -> str:
    """The part that a notebook shows."""
    blocked = any(f.severity == "block" for f in findings)
    verdict = "Blocked: a model that learns from this set would know too much" if blocked else "Not blocked"
    looked_at = ", ".join(f"{escape(k.replace('_', ' '))} {_figure(v)}" for k, v in about.items())
    parts = [f"<div><h1 style='font-size:1.4em'>Audit for leaks</h1><p><b>{verdict}.</b> {looked_at}</p>"]
    by: dict[Severity, list[Finding]] = {
        severity: [f for f in findings if f.severity == severity] for severity in SEVERITIES
    }
    parts += [_section(severity, mine) for severity, mine in by.items() if mine]
    return "".join([*parts, "</div>"])


def _section(severity: Severity, findings: list[Finding]) -> str:
    if not findings:
        return ""
    head = "".join(f"<th style='text-align:left;padding:.3em'>{h}</th>" for h in ("check", "about", "found", "figures"))
    rows = "".join(_row(f) for f in findings)
    heading = f"<h2 style='font-size:1.15em;color:{_COLOURS[severity]}'>{_WORDS[severity]} ({len(findings)})</h2>"
    return f"{heading}<table style='border-collapse:collapse;width:100%'><tr>{head}</tr>{rows}</table>"


def _row(f: Finding) -> str:
    cell = "<td style='text-align:left;vertical-align:top;padding:.3em;border-top:1px solid #ddd'>{}</td>".format
    advice = f"<br><span style='color:#555'>{escape(f.advice)}</span>" if f.advice else ""
    code = f"<code title='{escape(Code(f.code).looks_at, quote=True)}'>{escape(str(f.code))}</code>"
    cells = (code, escape(f.subject), escape(f.message) + advice, escape(figures_as_text(f.figures)))
    return f"<tr>{''.join(map(cell, cells))}</tr>"


def figures_as_text(figures: Figures) -> str:
    """Figures on one line."""
    return ", ".join(f"{name.replace('_', ' ')} {_figure(value)}" for name, value in figures.items())


def _figure(value: float | str) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
