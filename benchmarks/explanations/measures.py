"""What is measured of a company's reasons; each measure gives figures by name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from benchmarks.explanations.company import DAY, WEEK, Company
from benchmarks.explanations.groups import as_shown, by_evidence
from touchline.features import Tables
from touchline.features.sources.simulated import GROUPS
from touchline.features.trace import Trace
from touchline.models.explainer import Contributions, Explainer
from touchline.models.reasons.steadiness import steadiness
from touchline.models.reasons.tracing import catalog_of, traceable
from touchline.models.scorer.model import ScoringModel

Floats = NDArray[np.float64]
Figures = Iterator[tuple[str, float]]

NAMED = 3
"""Touches that a reason names at most."""


def exactness(company: Company) -> Figures:
    """Parts add up to the score, of a model by itself and of one steadied by the one before."""
    for name, model in (("", company.model), (", steadied", company.model.steadied(company.twin))):
        explained = Explainer(model).explain(company.late.X)
        yield f"additivity error{name}", float(np.abs(explained.log_odds - model.log_odds(company.late.X)).max())


def deletion(company: Company) -> Figures:
    """A score falls without the touches that its leading reason names, more than without others.

    One lead of each account, the highest scored, on the last date, so that no deletion meets another.
    """
    at = company.dates[-1]
    rows = pd.DataFrame({"lead_id": company.keys.get_level_values(0), "account": company.late.groups})
    rows["log_odds"] = company.contributions.log_odds
    rows = rows[company.keys.get_level_values(1) == at].sort_values("log_odds").drop_duplicates("account", keep="last")
    leads = sorted(rows["lead_id"])
    features = company.features(at, leads)
    explained = Explainer(company.model).explain(features)
    named, others = _named_and_others(company, explained, features)
    both = sorted(set(named) & set(others))
    drops = {}
    for which, chosen in (("named", named), ("other", others)):
        touches = [touch for row in both for touch in chosen[row]]
        fewer = company.features(at, [leads[row] for row in both], without=touches)
        drops[which] = explained.log_odds[both] - company.model.log_odds(fewer)
        yield f"log-odds lost without {which} touches", float(drops[which].mean())
        yield f"scores that fall without {which} touches", float((drops[which] > 1e-9).mean())
    yield "loses more without named than other touches", float((drops["named"] > drops["other"]).mean())


def _named_and_others(
    company: Company, explained: Contributions, features: pd.DataFrame
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """By row: the touches that the leading reason names, and as many others that the model counted."""
    grouping, catalog = company.grouping, company.catalog
    names = catalog_of(catalog, explained.names)
    tables, rows = Tables.open(company.folder / "tables"), features[["lead_id", "as_of"]].reset_index(drop=True)
    with Trace(tables, catalog.playbook, names, rows) as trace:
        laid = trace.apportion(traceable(explained, catalog), groups=grouping.family_of_feature)
    leading = grouping.by_family(grouping.by_subject(explained.of_features)).argmax(axis=1)
    ids = laid.touches["touch_id"].to_numpy(zero_copy_only=False)
    found = pd.DataFrame({"row": laid.row, "touch": ids[laid.touch], "amount": laid.amount})
    found["named"] = (laid.group == leading[laid.row]) & (laid.amount > 0)
    found["named"] &= found["named"].groupby(found["row"]).cumsum() <= NAMED  # the largest come first
    named, others = found[found["named"]], found[["row", "touch"]].drop_duplicates()
    taken = pd.MultiIndex.from_frame(named[["row", "touch"]])
    others = others[~pd.MultiIndex.from_frame(others).isin(taken)].sample(frac=1, random_state=company.seed)
    both = _by_row(named), _by_row(others)
    enough = {row: both[1][row][: len(some)] for row, some in both[0].items() if len(both[1].get(row, ())) >= len(some)}
    return both[0], enough


def _by_row(touches: pd.DataFrame) -> dict[int, list[str]]:
    lists = touches.groupby("row")["touch"].agg(list)
    return dict(zip(lists.index.tolist(), lists.tolist(), strict=True))


def stability(company: Company, stranger: Company | None, shown: set[str], *, note: str = "") -> Figures:
    """Which of a lead's two weightiest families are the same after a retrain, and a day later with the same facts."""
    families = np.isin(company.grouping.families, list(shown))
    if families.sum() < 3:
        return  # two of two are always kept
    ours = _two_families(company, company.contributions, families)
    models: dict[str, ScoringModel | None] = {
        "independent retrain": stranger.model if stranger else None,
        "retrain three months on": company.twin,
        "new seed": company.reseeded,
    }
    for name, model in models.items():
        if model is not None:
            theirs = _two_families(company, Explainer(model).explain(company.late.X), families)
            yield f"top-2 families kept, {name}{note}", _overlap(ours, theirs)
    at = company.dates[-1]
    last = company.keys.get_level_values(1) == at
    leads = list(company.keys.get_level_values(0)[last])
    explainer = Explainer(company.model)
    aged = explainer.explain(company.features(at + DAY, leads, known_before=at))
    yield f"top-2 families kept, a day later{note}", _overlap(ours[last], _two_families(company, aged, families))


def _two_families(company: Company, explained: Contributions, families: NDArray[np.bool_]) -> NDArray[np.intp]:
    grouping = company.grouping
    if explained.names != grouping.names:
        raise ValueError("the models to compare look at other features; train them on the same catalogue")
    weight = np.abs(grouping.by_family(grouping.by_subject(explained.of_features)))
    return np.argsort(-np.where(families, weight, -1.0), axis=1)[:, :2]


def _overlap(ours: NDArray[np.intp], theirs: NDArray[np.intp]) -> float:
    return float((ours[:, :, None] == theirs[:, None, :]).any(axis=2).mean())


def agreement(company: Company, shown: set[str], *, note: str = "") -> Figures:
    """Top driver and amounts by group of evidence beside the truth's, in the tenth scored highest."""
    hidden = ~np.isin(company.grouping.families, list(shown))[company.grouping.family_of_feature]
    values = np.where(hidden, 0.0, company.contributions.of_features)
    truth = company.truth.reindex(company.keys)
    rows = company.top & truth["log_odds"].notna().to_numpy()
    true = truth[list(GROUPS)].to_numpy()
    usual = true - np.nanmean(true, axis=0)  # beside the average lead, as our own values are
    ours = {
        "": by_evidence(values, company.grouping, company.catalog, company.late.X)[rows],
        ", families as shown": as_shown(values, company.grouping)[rows],
    }
    for name, mine in ours.items():
        top = mine.argmax(axis=1)
        for reference, theirs in ((" beside the average lead", usual[rows]), (" beside nothing known", true[rows])):
            best = theirs.argmax(axis=1)
            yield f"top driver kappa{reference}{name}{note}", float(cohen_kappa_score(top, best))
            if not name:
                yield f"top driver right{reference}{note}", float((top == best).mean())
                yield f"always the commonest is right{reference}{note}", float(np.bincount(best).max() / len(best))
    for place, group in enumerate(GROUPS):
        yield f"correlation, {group}{note}", _correlation(ours[""][:, place], usual[rows][:, place])
    yield f"correlation, all groups{note}", _correlation(ours[""].ravel(), usual[rows].ravel())


def movers(company: Company) -> Figures:
    """Whether what touches of a week did most is what moved the truth most, in the tenth that it moved most."""
    hits: dict[str, list[NDArray[np.bool_]]] = {"touches": [], "touches and ageing": []}
    amounts: list[Floats] = []
    for at in company.dates:
        ours, true = _week(company, at)
        moved = np.abs(true.sum(axis=1))
        most = moved >= np.quantile(moved, 0.9)
        best = np.abs(true).argmax(axis=1)
        for name, mine in ours.items():
            hits[name].append((np.abs(mine).argmax(axis=1) == best)[most])
        amounts.append(np.stack([ours["touches and ageing"][most].ravel(), true[most].ravel()]))
    for name, found in hits.items():
        yield f"true mover of the week found, {name}", float(np.concatenate(found).mean())
    yield "correlation of the week's moves", _correlation(*np.concatenate(amounts, axis=1))


def _week(company: Company, at: datetime) -> tuple[dict[str, Floats], Floats]:
    """Leads in question at both ends of a week, and what moved them: ours by step, and the truth's."""
    truth = company.truth
    then, now = (truth.xs(moment, level="as_of") for moment in (at, at + WEEK))
    there = company.keys[company.keys.get_level_values(1) == at].get_level_values(0)
    leads = [lead for lead in there if lead in then.index and lead in now.index]
    frames = (
        company.features(at, leads),
        company.features(at + WEEK, leads, known_before=at),
        company.features(at + WEEK, leads),
    )
    explainer = Explainer(company.model)
    before, aged, after = (
        by_evidence(explainer.explain(frame).of_features, company.grouping, company.catalog, frames[2])
        for frame in frames
    )
    true = now.loc[leads, list(GROUPS)].to_numpy() - then.loc[leads, list(GROUPS)].to_numpy()
    touches = np.where(np.array(GROUPS) == "fit", 0.0, after - aged)  # what an attribute did is another step
    return {"touches": touches, "touches and ageing": after - before}, true


def noise(company: Company, stranger: Company | None) -> Figures:
    """How much a retrain moves each family beside its worth: as the product tells it, and by a fresh company."""
    own = _steadiness(company)["families"]
    yield from _ratios("", {family: of["noise"] / of["share"] for family, of in own.items() if of["share"] > 0})
    if stranger is None:
        return
    mine, other = (
        company.grouping.by_family(company.grouping.by_subject(Explainer(model).explain(company.late.X).of_features))
        for model in (company.model, stranger.model)
    )
    moved = np.abs(mine - other).mean(axis=0) / np.maximum(np.abs(mine).mean(axis=0), 1e-300)
    yield from _ratios(", independent retrain", dict(zip(company.grouping.families, moved.tolist(), strict=True)))


def _ratios(how: str, ratio: dict[str, float]) -> Figures:
    yield f"families below their noise{how}", float(sum(noise > 1 for noise in ratio.values()))
    for family, value in ratio.items():
        yield f"noise over share{how}, {family}", value


def shown_families(company: Company) -> tuple[set[str], set[str]]:
    """All families, and those that are shown as reasons."""
    found = _steadiness(company)
    return set(found["families"]), set(found["shown"])


def _steadiness(company: Company) -> dict[str, Any]:
    families = {feature["name"]: feature["family"] for feature in company.late.manifest["features"]}
    return steadiness(company.model, company.halves, company.late.X, families)


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else float("nan")
