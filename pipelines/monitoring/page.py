"""A monitoring as a page: plain HTML that needs nothing but itself."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from touchline.pipelines.monitoring.findings import Finding, Severity
from touchline.pipelines.monitoring.told import Told, tables_of

if TYPE_CHECKING:
    from touchline.pipelines.monitor import Monitoring

_COLOURS: dict[Severity, str] = {"alarm": "#a4161a", "warn": "#9a6700", "note": "#2a6f97"}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; } p { color: #555; }
th, td { text-align: right; padding: .3em .8em .3em 0; border-bottom: 1px solid #ddd; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
td { white-space: pre-line; }
.findings td { text-align: left; }
"""


def page(result: Monitoring) -> str:
    """A page of its own: findings first, then everything that was looked at."""
    verdict = "A person must look" if result.needs_attention else "Nothing that a person must look at"
    about = f"{escape(result.model)}, version {escape(result.nights[0].version)}; data up to {result.data_end:%Y-%m-%d}"
    body = "".join(_section(told) for told in tables_of(result))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Monitoring</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{_STYLE}</style></head><body><h1>Monitoring</h1><p><b>{verdict}.</b> {about}</p>"
        f"{_findings(result.findings)}{body}</body></html>\n"
    )


def _findings(findings: tuple[Finding, ...]) -> str:
    if not findings:
        return ""
    rows = "".join(
        f"<tr><td style='color:{_COLOURS[f.severity]}'>{f.severity}</td>"
        f"<td><code title='{escape(f.code.looks_at, quote=True)}'>{escape(str(f.code))}</code></td>"
        f"<td>{escape(f.subject)}: {escape(f.message)}<br><b>To do:</b> {escape(f.advice)}</td></tr>"
        for f in findings
    )
    return f"<table class='findings'>{rows}</table>"


def _section(told: Told) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in told.heads)
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in told.rows)
    note = f"<p>{escape(told.note)}</p>" if told.note else ""
    return f"<h2>{escape(told.title)}</h2>{note}<table><tr>{head}</tr>{rows}</table>"
