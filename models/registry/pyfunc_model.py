"""What MLflow runs when it loads one of our models: a copy of this file lies with each, and nothing pickled.

Only MLflow imports it.
"""

from mlflow.models import set_model

from touchline.models.registry.pyfunc import PyfuncScorer

set_model(PyfuncScorer())
