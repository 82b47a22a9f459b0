"""A feature that counts in one direction only: declared once, carried by the set, kept by the fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from touchline.features import FeatureSet, TrainingSet, build_training_set, check_tables
from touchline.features.catalog import Account, Attribute, Catalog, CatalogError, Count, Last, StageNow
from touchline.features.sources.simulated import simulate
from touchline.models.judging import bound
from touchline.models.scorer import LeadScorer
from touchline.playbook import Playbook, starter_playbook


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    return starter_playbook()


def test_a_declaration_without_one_is_what_it_was(playbook: Playbook) -> None:
    assert "monotone" not in Count(30).to_dict()
    assert Count(30, monotone=0) == Count(30)
    assert Count(30, monotone=-1).to_dict()["monotone"] == -1
    free, tied = (Catalog(playbook, [Count(30, monotone=direction)]) for direction in (0, 1))
    assert free.digest != tied.digest
    assert free.names == tied.names


def test_two_directions_of_one_name_are_two_declarations(playbook: Playbook) -> None:
    catalog = Catalog(playbook, [Count(30, monotone=1)])
    assert len(catalog.add(Count(30, monotone=1))) == 1
    with pytest.raises(CatalogError, match="'count_any_30d' is there with another `monotone`; drop that one"):
        catalog.add(Count(30))


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (Last(of="channel", monotone=1), "is a category"),
        (StageNow(monotone=-1), "is a category"),
        (Attribute("industry", monotone=1), "is a category"),
        (Account(Last(of="channel"), monotone=1), "is a category"),
        (Account(Count(30, monotone=1)), r"Account\(Count\(30\), monotone=1\)"),
        (Count(30, monotone=2), "not 2"),  # type: ignore[arg-type]
    ],
)
def test_what_has_no_direction_is_refused(feature, said: str, playbook: Playbook) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CatalogError, match=said):
        Catalog(playbook, [feature])


def test_the_default_catalogue_has_none(playbook: Playbook) -> None:
    assert not any(feature.monotone for feature in Catalog.default(playbook))


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> TrainingSet:
    folder = tmp_path_factory.mktemp("company")
    simulate(folder / "data", leads=1_000, seed=3)
    assert check_tables(playbook, folder / "data", out=folder / "tables").ok
    tied = Catalog(playbook, [Count(91, engagement=True, monotone=-1), Account(Count(30), monotone=1), Count(30)])
    build_training_set(folder / "tables", playbook, catalog=tied, every="month", out=folder / "set")
    opened = FeatureSet.open(Path(folder / "set"))
    assert isinstance(opened, TrainingSet)
    return opened


def test_it_travels_through_the_sets_manifest_to_the_trees(training: TrainingSet) -> None:
    wrong_way, right_way, free = training.names
    assert training.monotone == {wrong_way: -1, right_way: 1}
    assert training.select([right_way, free]).monotone == {right_way: 1}
    scorer = bound(LeadScorer(n_jobs=2), training, training.names)
    assert scorer.monotone == {wrong_way: -1, right_way: 1}
    trees = scorer.fit(training.X, training.y, **training.fit_parameters).model_.trees
    assert trees is not None
    encoder = scorer.model_.encoder
    for name, direction in training.monotone.items():
        grid = training.X.iloc[[0] * 40].assign(**{name: np.arange(40, dtype=np.float32)})
        assert (direction * np.diff(trees.margin(encoder.encode(grid))) >= 0).all()


def test_the_estimators_own_directions_go_before_the_catalogues(training: TrainingSet) -> None:
    wrong_way, right_way, free = training.names
    assert bound(LeadScorer(monotone={wrong_way: 0, free: 1}), training, [wrong_way, free]).monotone == {
        wrong_way: 0,
        free: 1,
    }
    assert bound(LeadScorer(), training, [right_way]).monotone == {right_way: 1}
