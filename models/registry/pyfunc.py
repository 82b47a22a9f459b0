"""Our model as any MLflow tool sees it: `mlflow.pyfunc.load_model`, `mlflow models serve`, `spark_udf`.

MLflow's own check of a frame against a signature quotes the frame's rows in its errors, refuses categories, and lets a
model score without half of its columns. So the signature names the columns and leaves their types open; our encoder
then looks: a column that is not there, or holds something else than in training, is refused by name.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

import touchline
from touchline.models.artifact import load_model
from touchline.models.errors import FeatureError
from touchline.models.registry.loading import SCORER
from touchline.models.registry.store import quietly
from touchline.models.scale import Scale
from touchline.models.scorer.model import probability

with quietly():  # MLflow warns of its own type hints when it is imported
    import mlflow.pyfunc
    from mlflow.models import Model, ModelSignature
    from mlflow.pyfunc.model import PythonModel
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType

if TYPE_CHECKING:
    from mlflow.pyfunc.model import PythonModelContext

    from touchline.models.scorer.model import ScoringModel

_PINNED = ("lightgbm", "mlflow", "numpy", "pandas")
"""Beside Touchline: what gives the same numbers elsewhere."""
_NUMBERS = {"integer", "floating", "mixed-integer-float", "boolean", "decimal", "empty"}


class PyfuncScorer(PythonModel):
    """The model behind MLflow's uniform interface.

    In: a frame with every feature of the model; a value may be missing, a column may not. Out: a frame with
    `probability`, `score` (1 to 99), `low` and `high` (ends of the probability's 95% interval), `tier` (A to D).
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Check the artefact against the digest that is kept in `MLmodel`, outside of it, and read it."""
        config = cast("dict[str, Any]", context.model_config)
        self._model = load_model(context.artifacts[SCORER], config["digest"])
        self._scale = Scale(config["scale_reference"], config["scale_double"])

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]  # MLflow's base class says that it gives nothing
        self, context: Any, model_input: pd.DataFrame, params: Any = None
    ) -> pd.DataFrame:
        """Score a frame."""
        del context, params
        return score_frame(self._model, self._scale, model_input)


def score_frame(model: ScoringModel, scale: Scale, frame: pd.DataFrame) -> pd.DataFrame:
    """Chances, scores and tiers of a frame, with its index.

    Raises
    ------
    FeatureError
        If it is no frame, lacks a column, or a column holds something else than in training.
    """
    if not isinstance(frame, pd.DataFrame):  # pyright: ignore[reportUnnecessaryIsInstance]  # MLflow passes on anything
        raise FeatureError(f"the model scores a frame with named columns, not {type(frame).__name__}")
    features = _with_numbers(frame, model)
    if model.previous is None:  # else each of the two encodes the frame for itself
        features = model.encoder.encode(features)
    log_odds = model.log_odds(features)
    low, high = model.interval(features)
    scored = {
        "probability": probability(log_odds),
        "score": scale.score(log_odds),
        "low": low,
        "high": high,
        "tier": scale.tier(log_odds),
    }
    return pd.DataFrame(scored, index=frame.index)


def save_pyfunc(
    folder: Path, scorer: Path, model: ScoringModel, scale: Scale, digest: str, mlflow_model: Model
) -> None:
    """Write the MLflow model around an artefact that lies in the folder `scorer`."""
    mlflow.pyfunc.save_model(
        folder,
        mlflow_model=mlflow_model,
        python_model=str(Path(__file__).with_name("pyfunc_model.py")),
        artifacts={SCORER: str(scorer)},
        signature=signature_of(model),
        pip_requirements=[f"touchline=={touchline.__version__}", *(f"{name}=={version(name)}" for name in _PINNED)],
        model_config={"digest": digest, "scale_reference": scale.reference, "scale_double": scale.double},
        metadata={"digest": digest, "rung": model.rung.value, "categories": sorted(model.encoder.categories)},
    )


def signature_of(model: ScoringModel) -> ModelSignature:
    """The columns that go in, of any type to MLflow, and those that come out."""
    out = [ColSpec(DataType.double, name) for name in ("probability", "score", "low", "high")]
    return ModelSignature(
        inputs=Schema([ColSpec(AnyType(), name, required=False) for name in model.encoder.names]),
        outputs=Schema([*out, ColSpec(DataType.string, "tier")]),
    )


def _with_numbers(frame: pd.DataFrame, model: ScoringModel) -> pd.DataFrame:
    """The frame with numbers as numbers where JSON or Spark left a column of Python objects (all missing, decimals)."""
    objects = [
        name
        for name in model.encoder.names
        if name in frame.columns
        and name not in model.encoder.categories
        and frame[name].dtype == object
        and pd.api.types.infer_dtype(frame[name], skipna=True) in _NUMBERS
    ]
    return frame.assign(**{name: frame[name].astype("float64") for name in objects}) if objects else frame
