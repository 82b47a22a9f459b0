"""What an audit found: findings with a code, a severity, figures and advice, as plain data, a table or a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from touchline.features.audit.codes import Code

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["block", "warn", "note", "ok"]
SEVERITIES: tuple[Severity, ...] = ("block", "warn", "note", "ok")
"""`block`: a leak, to be mended first; `warn`: a person must look; `note`: worth knowing; `ok`: looked, and fine."""

Figures = dict[str, float | int | str]


@dataclass(frozen=True)
class Finding:
    """One result of one check; a check that found nothing gives one that says what it looked at.

    No finding names a lead or an account, or quotes a value of a row.
    """

    code: Code
    severity: Severity
    subject: str
    """The feature, attribute, kind, stage or table that it is about."""
    figures: Figures
    message: str
    advice: str = ""
    """What to do; empty if there is nothing to do."""

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "code": str(self.code),
            "severity": self.severity,
            "subject": self.subject,
            "figures": dict(self.figures),
            "message": self.message,
            "advice": self.advice,
        }


def found(
    code: Code, severity: Severity, subject: str, message: str, figures: Mapping[str, float | int | str]
) -> Finding:
    """A finding with its code's advice, and figures rounded to what can be read."""
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}
    return Finding(code, severity, subject, rounded, message, "" if severity == "ok" else code.advice)


@dataclass(frozen=True)
class Audit:
    """All findings, the worst first; in a notebook it shows itself."""

    findings: tuple[Finding, ...]
    about: Figures = field(default_factory=dict[str, float | int | str])
    """What was looked at: rows, leads, won rows, features, the set's digest."""

    @property
    def blocked(self) -> bool:
        """Whether something was found that must be mended before a model learns from the set."""
        return any(f.severity == "block" for f in self.findings)

    def of(self, *codes: Code) -> tuple[Finding, ...]:
        """The findings of some codes."""
        return tuple(f for f in self.findings if f.code in codes)

    def worse_than(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings that are worse than a severity."""
        return tuple(f for f in self.findings if SEVERITIES.index(f.severity) < SEVERITIES.index(severity))

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "blocked": self.blocked,
            "about": dict(self.about),
            "findings": [f.to_dict() for f in self.findings],
        }

    def table(self) -> pd.DataFrame:
        """One row per finding; figures as text."""
        import pandas as pd

        from touchline.features.audit.page import figures_as_text

        columns = ["severity", "code", "subject", "message", "figures", "advice"]
        rows = [f.to_dict() | {"figures": figures_as_text(f.figures)} for f in self.findings]
        return pd.DataFrame(rows, columns=columns)

    def html(self) -> str:
        """A page of its own: no scripts, and nothing to be loaded."""
        from touchline.features.audit.page import page

        return page(self.findings, self.about)

    def _repr_html_(self) -> str:
        from touchline.features.audit.page import body

        return body(self.findings, self.about)

    def __repr__(self) -> str:
        counts = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}
        return f"Audit: {', '.join(f'{n} {s}' for s, n in counts.items())}"


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """The worst first, then in the order of the codes, then as they were found."""
    codes = list(Code)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), codes.index(f.code))))
