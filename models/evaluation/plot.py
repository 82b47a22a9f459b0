"""Pictures of a comparison. Figures are made without pyplot: nothing global is touched, and the caller owns them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from touchline.models.evaluation.catalog import METRICS
from touchline.models.evaluation.page import capacity, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from touchline.models.evaluation.comparison import Comparison

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#444444")
"""Okabe and Ito's palette for colour-blind readers; with more models the lines change their dashes."""
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)))
_INK, _FAINT = "#333333", "#BBBBBB"


class Plots:
    """The pictures of one comparison; each method returns a new `matplotlib.figure.Figure`."""

    def __init__(self, comparison: Comparison) -> None:
        self._of = comparison
        self._models = comparison.models

    def reliability(self) -> Figure:
        """Observed against expected rate in bins of chance, a panel per model with probabilities, on log scales."""
        table = self._of.reliability
        models = [m for m in self._models if len(table) and m in table.index.get_level_values("model")]
        shown, axes = _panels(models, "Observed rate by predicted chance", "predicted chance", "observed rate")
        low, high = _span(table)
        for model, ax in zip(models, axes, strict=True):
            rows, colour = _of(table, model), self._style(model)["color"]
            said, seen = rows["expected"].clip(lower=low), rows["observed"]
            ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), box_aspect=1)
            ax.plot([low, high], [low, high], color=_FAINT, lw=1, zorder=0)
            ax.vlines(said, rows["low"].clip(lower=low), rows["high"], color=colour, lw=1.5, alpha=0.55)
            some = (seen > 0).to_numpy()
            ax.plot(said[some], seen[some], "o", color=colour, ms=5)
            ax.plot(said[~some], np.full((~some).sum(), low * 1.12), "o", color=colour, mfc="white", ms=5)
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_major_formatter(_share)
                axis.set_minor_locator(_no_ticks())
            _say(
                ax,
                [self._told(model, *told) for told in (("O/E", "observed_expected"), ("slope", "calibration_slope"))],
            )
        _note(shown, "Bars: 95% over accounts. Grey: said = seen. Hollow: no win in the bin.")
        return shown

    def gain(self) -> Figure:
        """Wins captured by the share of each date's leads that is called, with the capacity's point and interval."""
        shown, ax = _one(
            "Wins captured by the best leads of each date", "share of leads called", "share of wins captured"
        )
        ax.plot([0, 1], [0, 1], color=_FAINT, lw=1)
        ax.text(0.86, 0.83, "by chance", color="#777777", fontsize=8, ha="center", va="top", rotation=38)
        for model in self._models:
            gains = _of(self._of.gains, model)["captured"]
            ax.plot(np.r_[0, gains.index.to_numpy()], np.r_[0, gains.to_numpy()], lw=1.8, **self._style(model))
        self._at_capacity(ax, "capture")
        ax.set(xlim=(0, 1), ylim=(0, 1.01))
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(_share)
        return shown

    def lift(self) -> Figure:
        """How many times the win rate of the leads called is that of all, by the share called (log scale)."""
        shown, ax = _one("Win rate of the best leads of each date", "share of leads called", "times the base rate")
        ax.axhline(1, color=_FAINT, lw=1)
        for model in self._models:
            gains = _of(self._of.gains, model).query("called >= 0.01")["lift"]
            ax.plot(gains.index, gains, lw=1.8, **self._style(model))
        self._at_capacity(ax, "lift")
        ax.set(xscale="log", xlim=(0.01, 1), ylim=(0, None))
        ax.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
        ax.xaxis.set_major_formatter(_share)
        ax.xaxis.set_minor_locator(_no_ticks())
        ax.yaxis.set_major_formatter(lambda v, _: f"{v:g}\N{MULTIPLICATION SIGN}")
        return shown

    def calibration_over_time(self) -> Figure:
        """Observed win rate per month with its interval, and what each model expected."""
        shown, ax = _one("Expected and observed win rate by month", "", "win rate")
        table = self._of.by_month
        seen = _of(table, self._models[0])
        month = pd.DatetimeIndex(seen.index)
        ax.vlines(month, seen["low"], seen["high"], color=_INK, lw=1.5, alpha=0.45)
        ax.plot(month, seen["observed"], "o", color=_INK, ms=5, zorder=3)
        ends: list[tuple[float, str, str]] = []
        for model in self._models:
            said = _of(table, model)["expected"]
            if said.notna().any():
                style = self._style(model)
                ax.plot(month, said, lw=1.8, marker="_" if len(said) == 1 else "", **style)
                ends.append((float(said.iloc[-1]), model, style["color"]))
        ends.append((float(seen["observed"].iloc[-1]), "observed", _INK))
        top = float(np.nanmax([seen["high"].max(), table["expected"].max()]))
        ax.set_ylim(0, top * 1.05)
        _labels(ax, ends)
        ax.yaxis.set_major_formatter(_share)
        _months(ax)
        _note(shown, "Bars: 95% over accounts.")
        return shown

    def scores(self) -> Figure:
        """How won and other rows are spread over each model's scores."""
        shown, axes = _panels(self._models, "Scores of won and of other rows", "", "share of rows")
        for model, ax in zip(self._models, axes, strict=True):
            rows = _of(self._of.scores, model)
            edges = np.r_[rows["low"], rows["high"].iloc[-1]]
            colour = self._style(model)["color"]
            ax.stairs(rows["other"], edges, fill=True, color=_FAINT, alpha=0.7)
            ax.stairs(rows["won"], edges, color=colour, lw=1.8)
            odds = bool(rows["log_odds"].iloc[0])
            ax.set_xlabel("predicted chance" if odds else "score (ranks only)")
            if odds:
                _chances(ax, edges)
            ax.set_ylim(0, 1.15 * np.nanmax(rows[["won", "other"]].to_numpy()))
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            ax.set_ylabel("")
            ax.text(0.99, 0.97, "won", color=colour, transform=ax.transAxes, ha="right", va="top", fontsize=9)
            ax.text(0.99, 0.87, "not won", color="#777777", transform=ax.transAxes, ha="right", va="top", fontsize=9)
        _note(shown, "Each area is 1: shares of won rows and of the others.")
        return shown

    def _style(self, model: str) -> dict[str, Any]:
        place = self._models.index(model)
        return {"color": _COLOURS[place % len(_COLOURS)], "ls": _DASHES[place // len(_COLOURS) % len(_DASHES)]}

    def _told(self, model: str, word: str, metric: str) -> str:
        value, low, high = self._of.interval(model, metric)
        digits = METRICS[metric].digits
        return f"{word} {figure(value, digits)} ({figure(low, digits)} to {figure(high, digits)})"

    def _at_capacity(self, ax: Axes, metric: str) -> None:
        """Each model's point at the capacity, side by side, and a key that tells the values in their order."""
        basis, found = self._of.basis, {m: self._of.interval(m, metric) for m in self._models}
        ax.axvline(basis.called, color=_FAINT, lw=1, ls=":", zorder=0)
        order = sorted(self._models, key=lambda m: -found[m].value)
        high = 0.97
        for model in order:
            style = self._style(model)
            value, low, up = found[model]
            ax.plot(basis.called, value, "o", color=style["color"], ms=5, zorder=3)
            ax.text(
                1.03, high, model, color=style["color"], transform=ax.transAxes, fontsize=9, va="top", weight="bold"
            )
            shown = [f"{v:.0%}" if metric == "capture" else f"{v:.1f}\N{MULTIPLICATION SIGN}" for v in (value, low, up)]
            text = f"{shown[0]}  ({shown[1]} to {shown[2]})"
            ax.text(1.03, high - 0.045, text, color=_INK, transform=ax.transAxes, fontsize=8, va="top")
            high -= 0.115
        words = f"At the dotted line:\n{capacity(basis)};\n95% over accounts"
        ax.text(1.03, high - 0.01, words, color="#777777", transform=ax.transAxes, fontsize=7.5, va="top")


def _span(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of both axes of a reliability picture: what was said and seen, and half as much again."""
    if not len(table):
        return 0.01, 1.0
    rates = table[["expected", "observed"]].to_numpy()
    high = float(max(np.nanmax(rates), table["high"].max()))
    return max(1e-5, float(rates[rates > 0].min(initial=high)) / 1.5), min(1.0, high * 2)


def _of(table: pd.DataFrame, model: str) -> pd.DataFrame:
    """A model's rows."""
    return cast("pd.DataFrame", table.loc[model])


def _one(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    shown = Figure(figsize=(7.6, 4.6), layout="constrained")
    ax = shown.add_subplot()
    _dress(ax, x, y)
    ax.set_title(title, loc="left", fontsize=12, color=_INK)
    return shown, ax


def _panels(names: Sequence[str], title: str, x: str, y: str) -> tuple[Figure, list[Axes]]:
    """Up to three panels a row, with shared labels."""
    from matplotlib.figure import Figure

    across = max(1, min(3, len(names)))
    down = max(1, -(-len(names) // across))
    shown = Figure(figsize=(max(4.2, 3.5 * across), 3.6 * down + 0.5), layout="constrained")
    shown.suptitle(title, x=0.01, ha="left", fontsize=12, color=_INK)
    axes = [shown.add_subplot(down, across, i + 1) for i in range(len(names))]
    for i, (ax, name) in enumerate(zip(axes, names, strict=True)):
        _dress(ax, x if i + across >= len(names) else "", y if i % across == 0 else "")
        ax.set_title(name, loc="left", fontsize=10, color=_COLOURS[0] if len(names) == 1 else _INK)
    return shown, axes


def _dress(ax: Axes, x: str, y: str) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(_FAINT)
    ax.tick_params(colors=_INK, labelsize=8, color=_FAINT)
    ax.set_xlabel(x, fontsize=9, color=_INK)
    ax.set_ylabel(y, fontsize=9, color=_INK)


def _say(ax: Axes, lines: list[str]) -> None:
    ax.text(0.02, 0.98, "\n".join(lines), transform=ax.transAxes, va="top", fontsize=8, color=_INK)


def _note(shown: Figure, text: str) -> None:
    shown.supxlabel(text, x=0.01, ha="left", fontsize=7.5, color="#777777")


def _labels(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names right of the last values, moved apart where they would touch."""
    bottom, top = ax.get_ylim()
    step = 0.05 * (top - bottom)
    last = -np.inf
    for value, name, colour in sorted(ends):
        last = max(value, last + step)
        ax.annotate(name, (1.02, last), xycoords=("axes fraction", "data"), color=colour, fontsize=9, va="center")


def _share(value: float, _: object = None) -> str:
    """A tick as per cent, with the digits it needs."""
    return f"{100 * value:.4g}%"


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _months(ax: Axes) -> None:
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=2, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _chances(ax: Axes, edges: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """Ticks at round chances on an axis of log-odds."""
    chances = np.array([1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
    at = np.log(chances / (1 - chances))
    inside = (at >= edges[0]) & (at <= edges[-1])
    if inside.sum() >= 2:
        ax.set_xticks(at[inside], [_share(c) for c in chances[inside]])
    else:
        ax.xaxis.set_major_formatter(lambda v, _: _share(float(f"{1 / (1 + np.exp(-v)):.2g}")))
