"""The model behind MLflow's own doors: the same numbers, and no data in what they say when something is wrong."""

from __future__ import annotations

import traceback
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from touchline.models.artifact import TREES
from touchline.models.scale import Scale

mlflow_warnings = [
    "ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning",
    "ignore:.*Any type hint is inferred as AnyType:UserWarning",
]
pytestmark = [pytest.mark.filterwarnings(each) for each in mlflow_warnings]

PLANTED = "ada.lovelace@example.org"


@pytest.fixture
def champion(registry, global_store):
    import mlflow.pyfunc

    registry.promote(1, {})
    return mlflow.pyfunc.load_model("models:/lead-scorer@champion")


def test_it_gives_the_same_numbers_as_the_model(champion, trained):
    scored = champion.predict(trained.frame)
    model = trained.model
    low, high = model.interval(trained.frame)
    np.testing.assert_array_equal(scored["probability"], model.probability(trained.frame))
    np.testing.assert_array_equal(scored["score"], Scale().score(model.log_odds(trained.frame)))
    np.testing.assert_array_equal(scored["tier"], Scale().tier(model.log_odds(trained.frame)))
    np.testing.assert_array_equal(scored[["low", "high"]], np.stack([low, high], axis=1))
    assert (scored["low"] <= scored["probability"]).all()
    assert scored.index.equals(trained.frame.index)


def test_a_model_that_is_steadied_by_the_one_before_gives_the_same_numbers_too(registry, trained, global_store):
    import mlflow.pyfunc

    steadied = trained.model.steadied(trained.other.model)
    version = registry.log(replace(trained.record, model=steadied)).version
    scored = mlflow.pyfunc.load_model(f"models:/lead-scorer/{version}").predict(trained.frame)
    expected = steadied.probability(trained.frame)
    assert not np.array_equal(expected, trained.model.probability(trained.frame))
    np.testing.assert_array_equal(scored["probability"], expected)
    np.testing.assert_array_equal(registry.load(version).model.probability(trained.frame), expected)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.astype({"industry": object}),
        lambda f: f.astype({"industry": "str"}),
        lambda f: f.astype({"visits": "Int64"}),
        lambda f: f.astype({"visits": np.int8, "known": object}),
        lambda f: f.assign(visits=f["visits"].map(Decimal)),
        lambda f: f[f.columns[::-1]].assign(lead_id="L1"),
    ],
    ids=["objects", "text", "nullable", "small", "decimal", "other order and more columns"],
)
def test_the_form_of_a_column_changes_nothing(champion, trained, change):
    expected = trained.model.probability(trained.frame)
    np.testing.assert_array_equal(champion.predict(change(trained.frame.copy()))["probability"], expected)


def test_a_value_may_be_missing_and_all_of_a_column_too(champion, trained):
    empty = trained.frame.assign(**{"days since": None, "industry": None})
    expected = trained.model.probability(trained.frame.assign(**{"days since": np.nan, "industry": None}))
    np.testing.assert_array_equal(champion.predict(empty)["probability"], expected)
    assert len(champion.predict(trained.frame.iloc[:0])) == 0


def test_a_column_may_not_be_missing(champion, trained):
    with pytest.raises(Exception, match="needs columns that are not there: visits, industry"):
        champion.predict(trained.frame.drop(columns=["visits", "industry"]))


@pytest.mark.parametrize(
    "frame",
    [
        lambda f: f.assign(visits=PLANTED),
        lambda f: f.assign(industry=PLANTED).drop(columns="visits"),
        lambda f: f.assign(industry=PLANTED, visits="3"),
        lambda f: f.assign(industry=PLANTED, visits=np.inf),
        lambda f: f.assign(industry=PLANTED, visits=pd.Timestamp("2025-01-01")),
        lambda f: [PLANTED, PLANTED],
        lambda f: {"industry": PLANTED},
        lambda f: np.array([[PLANTED]]),
        lambda f: PLANTED,
    ],
    ids=["text for numbers", "column missing", "number as text", "infinite", "dates", "list", "dict", "array", "text"],
)
def test_no_error_quotes_the_data(champion, trained, frame, capfd, caplog):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever MLflow makes of it
        champion.predict(frame(trained.frame))
    said = "".join(traceback.format_exception(caught.value)) + str(capfd.readouterr()) + caplog.text
    assert PLANTED not in said
    assert "visits" in said or "columns" in said


def test_the_signature_names_what_goes_in_and_what_comes_out(champion, trained):
    signature = champion.metadata.signature
    assert signature.inputs.input_names() == list(trained.frame)
    assert signature.outputs.input_names() == ["probability", "score", "low", "high", "tier"]


def test_a_damaged_artefact_is_refused_by_these_doors_too(registry, artefact, global_store):
    import mlflow.pyfunc

    path = artefact(1) / TREES
    text = path.read_bytes()
    at = next(i for i in range(len(text) // 2, len(text)) if text[i : i + 1] in b"12345678")
    path.write_bytes(text[:at] + b"9" + text[at + 1 :])
    with pytest.raises(Exception, match="damaged, cut off or swapped"):
        mlflow.pyfunc.load_model("models:/lead-scorer/1")


def test_it_loads_where_pickles_are_forbidden(registry, global_store, monkeypatch, trained):
    import mlflow.pyfunc

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    assert len(mlflow.pyfunc.load_model("models:/lead-scorer/1").predict(trained.frame)) == len(trained.frame)
