"""What pages need to tell a batch as it was: words and scales, and no lead's data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from touchline.features.catalog import Catalog
from touchline.features.tables import Tables
from touchline.models.reasons import Subject
from touchline.models.registry import LoadedModel
from touchline.models.scale import Scale
from touchline.models.scorer.model import ScoringModel
from touchline.serve.batch.explaining import Explaining
from touchline.serve.batch.scoring import Scoring

_TITLES = 5_000
"""Assets whose titles are kept; where there are more, names must do."""


def meta_of(scoring: Scoring, playbook_text: str, tables: Tables) -> dict[str, Any]:
    """The batch's own words: the agreement, families, subjects, the scale, the model's rung, titles of assets."""
    grouping, catalog = scoring.explaining.grouping, scoring.catalog
    languages = catalog.playbook.languages
    return {
        "playbook": playbook_text,
        "scale": asdict(scoring.model.scale),
        "base": _base_points(scoring.explaining, scoring.model.scale),
        "rung": scoring.model.model.rung.value,
        "alike": _alike(scoring.model.model),
        "families": [
            {"name": name, "words": {v: catalog.family_words(name, v) for v in languages}} for name in grouping.families
        ],
        "subjects": [{**subject._asdict(), "feature": _declared(catalog, subject)} for subject in grouping.subjects],
        "earlier": _earlier(scoring),
        "titles": _titles(tables),
    }


def _alike(model: ScoringModel) -> bool:
    """Whether every lead gets the same score."""
    return not any(one.parts for one in (model, model.previous) if one is not None)


def _base_points(explaining: Explaining, scale: Scale) -> float:
    """The score that the sum of reasons begins with."""
    return 50 + float(scale.points(np.array(explaining.base - scale.reference)))


def _earlier(scoring: Scoring) -> dict[str, Any] | None:
    if scoring.earlier is None:
        return None
    model: LoadedModel = scoring.earlier.model
    return {"as_of": scoring.earlier.as_of.isoformat(), "model": model.name, "version": model.version}


def _declared(catalog: Catalog, subject: Subject) -> dict[str, Any] | None:
    """The feature that a subject's sentence is named after, if it is."""
    return catalog[subject.of].to_plain() if subject.about in ("rate", "other") else None


def _titles(tables: Tables) -> dict[str, str]:
    table = tables.arrow("assets")
    named = zip(table["asset"].to_pylist(), table["title"].to_pylist(), strict=True)
    titles = {asset: title for asset, title in named if title}
    return titles if len(titles) <= _TITLES else {}
