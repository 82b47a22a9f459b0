"""Checks of one feature at a time against the outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from touchline.features.audit import limits
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, Severity, found
from touchline.features.audit.look import Told

Verdict = tuple[Severity, str, Figures]


def check_columns(case: Case) -> Iterator[Finding]:
    """SINGLE_AUC, CORRELATION, CRAMERS_V, MISSING_TELLS, TELLING_VALUE, over all features."""
    if case.won_accounts < limits.ENOUGH:
        for code in (Code.SINGLE_AUC, Code.CORRELATION, Code.CRAMERS_V, Code.MISSING_TELLS, Code.TELLING_VALUE):
            yield quiet(code, f"won rows are of {case.won_accounts} accounts only")
        return
    told = case.told
    yield from _judge(Code.SINGLE_AUC, told, _single_auc, lambda t: t.auc.value, "AUC")
    yield from _judge(Code.CORRELATION, told, _correlation, lambda t: abs(t.correlation), "|r|")
    categories = [t for t in told if t.is_category]
    yield from _judge(Code.CRAMERS_V, categories, _association, lambda t: t.v, "V")
    yield from _judge(Code.MISSING_TELLS, told, _missing, lambda t: abs(t.missing_correlation), "|r| of being missing")
    judged = [t for t in told if t.telling]
    yield from _judge(
        Code.TELLING_VALUE, judged, _value, lambda t: t.telling.surely if t.telling else 0.0, "share won of a value"
    )


def _judge(
    code: Code,
    told: Sequence[Told],
    verdict: Callable[[Told], Verdict | None],
    size: Callable[[Told], float],
    unit: str,
) -> Iterator[Finding]:
    """A finding for every feature that fails, the worst first; one that names the largest figure if none does."""
    ranked = sorted(told, key=size, reverse=True)
    failed = [(t, v) for t in ranked if (v := verdict(t))]
    for t, (severity, message, figures) in failed[: limits.NAMED]:
        yield found(code, severity, t.name, message, figures)
    if rest := failed[limits.NAMED :]:
        worst: Severity = "block" if any(v[0] == "block" for _, v in rest) else "warn"
        yield found(code, worst, "further features", f"{len(rest)} further features likewise", {"features": len(rest)})
    if not failed and ranked:
        top = ranked[0]
        figures: Figures = {"features": len(ranked), "largest": size(top)}
        message = f"{len(ranked)} features looked at, the largest {unit} is {size(top):.2f}"
        yield found(code, "ok", top.name, message, figures)
    elif not failed:
        yield found(code, "ok", "features", "no feature of this kind", {"features": 0})


def _single_auc(t: Told) -> Verdict | None:
    if not t.passes(limits.AUC_WARN):
        return None
    message = f"alone it ranks with an AUC of {t.auc.value:.2f} (± {t.auc.error:.2f})"
    return ("block" if t.passes(limits.AUC_BLOCK) else "warn"), message, {"auc": t.auc.value, "error": t.auc.error}


def _correlation(t: Told) -> Verdict | None:
    if abs(t.correlation) <= limits.CORRELATION:
        return None
    return "block", f"correlates with the outcome, r = {t.correlation:.2f}", {"correlation": t.correlation}


def _association(t: Told) -> Verdict | None:
    return ("block", f"is the outcome's twin, V = {t.v:.2f}", {"v": t.v}) if t.v > limits.CRAMERS_V else None


def _missing(t: Told) -> Verdict | None:
    if abs(t.missing_correlation) > limits.CORRELATION:
        told = f"being missing correlates with the outcome, r = {t.missing_correlation:.2f}"
        return "block", told, {"correlation": t.missing_correlation}
    if t.fill is None or t.fill.ratio <= limits.FILL_RATIO or t.fill.accounts < limits.ENOUGH:
        return None
    message = f"filled for {t.fill.won:.1%} of won {t.fill.of} and {t.fill.other:.1%} of others"
    figures: Figures = {"filled_won": t.fill.won, "filled_other": t.fill.other, "ratio": t.fill.ratio}
    return ("block" if t.auc.value >= limits.AUC_WARN else "warn"), message, {**figures, "auc": t.auc.value}


def _value(t: Told) -> Verdict | None:
    if t.telling is None or t.telling.surely < limits.TELLING_WARN or t.telling.odds < limits.TELLING_ODDS:
        return None
    what = "accounts" if t.is_attribute else "rows"
    message = f"of the {what} with one of its values {t.telling.share:.0%} are won, of all {t.telling.base:.1%}"
    figures: Figures = {"share_won": t.telling.share, "at_least": t.telling.surely, "accounts": t.telling.accounts}
    return ("block" if t.telling.surely >= limits.TELLING_BLOCK else "warn"), message, figures
