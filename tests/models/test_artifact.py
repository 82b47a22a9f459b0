"""A model that is damaged, cut off, swapped or of another version is refused before anything reads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from touchline.models.artifact import digest_of, load_model, save_model
from touchline.models.errors import FeatureError, ModelError
from touchline.models.scorer import LeadScorer, ScoringModel


def _frame(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    columns = {f"count_{i}": random.poisson(2, 1_200).astype(np.float32) for i in range(6)}
    return pd.DataFrame(columns).assign(industry=pd.Categorical(random.choice(["a", "b"], 1_200)))


def _model(seed: int) -> ScoringModel:
    frame = _frame()
    score = frame["count_0"] - frame["count_1"] * (frame["industry"] == "a")
    won = np.random.default_rng(seed).random(len(frame)) < 1 / (1 + np.exp(2 - score))
    return LeadScorer(n_jobs=1, random_state=seed).fit(frame, won).model_


@pytest.fixture(scope="module")
def model() -> ScoringModel:
    made = _model(0)
    assert made.trees is not None
    return made


@pytest.fixture(scope="module")
def other() -> ScoringModel:
    return _model(1)


def test_a_model_comes_back_to_the_bit(model: ScoringModel, tmp_path: Path) -> None:
    digest = save_model(model, tmp_path / "m")
    again = load_model(tmp_path / "m", digest)
    frame = _frame(3)
    assert again.probability(frame).tobytes() == model.probability(frame).tobytes()
    assert [x.tobytes() for x in again.interval(frame)] == [x.tobytes() for x in model.interval(frame)]
    assert again.facts == model.facts


def test_a_steadied_model_comes_back_and_lies_half_way(
    model: ScoringModel, other: ScoringModel, tmp_path: Path
) -> None:
    steady = model.steadied(other.steadied(model))
    frame = _frame(3)
    np.testing.assert_allclose(steady.log_odds(frame), (model.log_odds(frame) + other.log_odds(frame)) / 2, rtol=1e-12)
    again = load_model(tmp_path / "s", save_model(steady, tmp_path / "s"))
    assert again.log_odds(frame).tobytes() == steady.log_odds(frame).tobytes()


def test_a_model_is_not_steadied_by_one_that_needs_other_features(model: ScoringModel) -> None:
    frame = _frame().rename(columns={"count_0": "gone"})
    won = np.random.default_rng(0).random(len(frame)) < 0.2
    before = LeadScorer(n_jobs=1).fit(frame, won).model_
    with pytest.raises(FeatureError, match="features that are no more: gone"):
        model.steadied(before)


@pytest.mark.parametrize("harm", ["cut", "digit", "swapped", "added trees", "other json"])
def test_what_is_not_what_was_saved_is_refused(
    model: ScoringModel, other: ScoringModel, tmp_path: Path, harm: str
) -> None:
    folder = tmp_path / "m"
    digest = save_model(model, folder)
    trees = folder / "trees.txt"
    if harm == "cut":
        trees.write_text(trees.read_text()[:-100])
    elif harm == "digit":
        text = trees.read_text()
        at = text.index("leaf_value=") + 13
        trees.write_text(text[:at] + str((int(text[at]) + 1) % 10 if text[at].isdigit() else 1) + text[at + 1 :])
    elif harm == "swapped":
        save_model(other, tmp_path / "o")
        (tmp_path / "o" / "trees.txt").replace(trees)
    elif harm == "added trees":
        (folder / "trees_before.txt").write_text("tree")
    else:
        (folder / "model.json").write_text((folder / "model.json").read_text().replace('"base":', '"bass":'))
    with pytest.raises(ModelError, match="is not the one that was saved"):
        load_model(folder, digest)


def test_another_format_is_refused_and_says_what_to_do(model: ScoringModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m")
    content = json.loads((tmp_path / "m" / "model.json").read_text())
    (tmp_path / "m" / "model.json").write_text(json.dumps({**content, "format": 99}))
    with pytest.raises(ModelError, match=r"saved in format 99 .* Train it again"):
        load_model(tmp_path / "m", digest_of(tmp_path / "m"))


def test_no_model_and_a_full_folder_are_told(model: ScoringModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no model in"):
        load_model(tmp_path, "0" * 64)
    (tmp_path / "something").write_text("")
    with pytest.raises(FileExistsError, match="is not empty"):
        save_model(model, tmp_path)
