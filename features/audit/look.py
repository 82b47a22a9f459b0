"""One look at one column: all figures of a feature against the outcome, from a single read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from touchline.features.audit import limits
from touchline.features.audit.ranks import (
    Auc,
    Bools,
    Floats,
    Ints,
    area_over,
    bins,
    correlation,
    cramers_v,
    either_way,
    rates_out_of_fold,
    with_missing,
)


class Values(NamedTuple):
    """A column: `numbers` with missing values as NaN, or (None) a category of `code`."""

    numbers: Floats | None
    code: Ints
    """Of categories, from 0 to `size - 1` with missing as the last; of numbers empty."""
    size: int
    names: tuple[str, ...] = ()
    """Of categories what the codes stand for, missing aside."""


class Outcome(NamedTuple):
    """What columns are held against: for each row whether it was won, and the number of its account."""

    label: Bools
    group: Ints
    destined: Bools
    """For each row whether its lead was won at any time, in its window or not."""

    def accounts(self, rows: Bools) -> int:
        """How many accounts some rows are of."""
        return int(np.count_nonzero(np.bincount(self.group[rows])))


@dataclass(frozen=True)
class FillRates:
    """How often a field is filled, and not false, among won and others."""

    won: float
    other: float
    accounts: float
    """Won accounts that the larger rate was, or would have been, seen in."""
    of: str
    """`rows`, by their own window; or `leads`, by whether they were won at any time."""

    @property
    def ratio(self) -> float:
        """The larger rate over the smaller one."""
        low, high = sorted((self.won, self.other))
        return high / max(low, 1e-9) if high else 1.0


class Telling(NamedTuple):
    """The value of a feature that decides the outcome most."""

    share: float
    """Of rows won; of an attribute, which stays, the share of accounts that were ever won."""
    surely: float
    """Lower bound of the share (Wilson), by the number of accounts."""
    base: float
    """The same share over all values."""
    accounts: int

    @property
    def odds(self) -> float:
        """Odds of the share's lower bound over those of all values."""
        low, base = (min(max(s, 1e-9), 1 - 1e-9) for s in (self.surely, self.base))
        return low / (1 - low) * (1 - base) / base


@dataclass(frozen=True)
class Told:
    """What one feature alone tells of the outcome."""

    name: str
    is_attribute: bool
    """Believed on the playbook's word; all else is proved by experiment."""
    is_category: bool
    auc: Auc
    """Its influence per account is worked out from `limits.AUC_LOOK` on, and empty below."""
    correlation: float
    missing_correlation: float
    v: float
    """Cramér's V, of categories."""
    fill: FillRates | None
    """Of attributes that are not always filled."""
    telling: Telling | None
    """Of attributes and categories."""

    def passes(self, limit: float) -> bool:
        """Whether its AUC is at a limit or above it, and surely so."""
        slack = limits.SLACK_OF_ATTRIBUTES if self.is_attribute else 0.0
        return self.auc.value >= limit and self.auc.value - limits.CERTAIN * self.auc.error >= limit - slack


def look(name: str, values: Values, outcome: Outcome, *, is_attribute: bool) -> Told:
    """Look at one feature."""
    numbers = values.numbers
    if numbers is None:
        code, size, missing = values.code, values.size, values.code == values.size - 1
        filled, r = ~missing, 0.0
    else:
        (code, size), missing = bins(numbers), np.isnan(numbers)
        filled, r = ~missing, _correlation(numbers, ~missing, outcome)
        if is_attribute and bool(((numbers == 0) | (numbers == 1) | missing).all()):
            filled = numbers == 1  # of a truth, no says as little as nothing
    is_category = numbers is None
    return Told(
        name=name,
        is_attribute=is_attribute,
        is_category=is_category,
        auc=_auc(values, code, size, outcome),
        correlation=r,
        missing_correlation=correlation(missing.astype(np.float32), outcome.label) if missing.any() else 0.0,
        v=cramers_v(code, outcome.label, size) if is_category else 0.0,
        fill=fill_rates(filled, outcome) if is_attribute and not filled.all() else None,
        telling=_telling(code, size, outcome, stays=is_attribute) if is_attribute or is_category else None,
    )


def _auc(values: Values, code: Ints, size: int, outcome: Outcome) -> Auc:
    """The better of two: by size, either way round; and by the rates of its values in other accounts."""
    rates = rates_out_of_fold(code, outcome.label, outcome.group, size)
    best, end = rates.area, None
    if values.numbers is not None:
        sized, side = with_missing(values.numbers, outcome.label)
        if max(sized, 1 - sized) >= best:
            best, end = max(sized, 1 - sized), side
    if best < limits.AUC_LOOK:
        return Auc(best, np.zeros(0))
    if values.numbers is None or end is None:
        return area_over(rates.score, outcome.label, outcome.group)
    return either_way(area_over(np.nan_to_num(values.numbers, nan=end), outcome.label, outcome.group))


def _correlation(numbers: Floats, present: Bools, outcome: Outcome) -> float:
    """Of the rows that have a value; 0 if these are of too few accounts."""
    label = outcome.label
    if min(outcome.accounts(present & label), outcome.accounts(present & ~label)) < limits.ENOUGH:
        return 0.0
    return correlation(numbers[present], label[present])


def fill_rates(filled: Bools, outcome: Outcome) -> FillRates:
    """How often a field is filled by outcome: of rows, or of leads, whichever differ more.

    A field that stays filled is filled in rows long before the win, too, which are not won themselves.
    """
    rates = (
        _fill_rates(filled, outcome.label, outcome, "rows"),
        _fill_rates(filled, outcome.destined, outcome, "leads"),
    )
    return max(rates, key=lambda r: r.ratio if r.accounts >= limits.ENOUGH else 0.0)


def _fill_rates(filled: Bools, side: Bools, outcome: Outcome, of: str) -> FillRates:
    won, other = (float(filled[half].mean()) if half.any() else 0.0 for half in (side, ~side))
    seen = outcome.accounts(filled & side) if won >= other else other * outcome.accounts(side)
    return FillRates(won, other, seen, of)


def _telling(code: Ints, size: int, outcome: Outcome, *, stays: bool) -> Telling | None:
    """The value that most surely goes with winning; one that `stays`, being there long before, is judged by account."""
    pairs = np.unique(outcome.group * np.int64(size) + code)
    group, value = pairs // size, pairs % size
    accounts = np.bincount(value, minlength=size)
    if stays:
        ever = np.bincount(outcome.group, outcome.destined) > 0
        share = np.bincount(value[ever[group]], minlength=size) / np.maximum(1, accounts)
        base = float(ever[group].mean())
    else:
        base = float(outcome.label.mean())
        share = np.bincount(code[outcome.label], minlength=size) / np.maximum(1, np.bincount(code, minlength=size))
    surely = np.where(accounts >= limits.ENOUGH, lower_bound(share, accounts), -1.0)
    best = int(np.argmax(surely))
    if surely[best] < 0:
        return None
    return Telling(float(share[best]), float(surely[best]), base, int(accounts[best]))


def lower_bound(share: Floats, of: Ints) -> Floats:
    """Wilson's lower bound of a share, `limits.CERTAIN` standard errors below."""
    z, n = limits.CERTAIN, np.maximum(1, of)
    spread = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (share + z**2 / (2 * n) - spread) / (1 + z**2 / n)
