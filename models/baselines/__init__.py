"""Baselines: what people rank leads by today, to stand beside our own model in every comparison.

In: a playbook and, for most, a training set with a few features of their own. Out: one score per row, higher is
better, each on its own scale; calibration turns scores into probabilities elsewhere.

- `BaseRate`: no look at the lead at all.
- `Points`: Pardot's default points, added up for ever.
- `FitEngagement`: Eloqua's matrix of fit A-D and engagement 1-4.
- `OdooPLS`: Odoo's naive Bayes over fields, as it ships (with hindsight; `leaks` says so) and point in time.

The features they need are not all in the default catalogue; each names its own:

    >>> from touchline.features import Catalog
    >>> from touchline.models.baselines import FitEngagement, OdooPLS, Points
    >>> from touchline.playbook import starter_playbook
    >>> playbook = starter_playbook()
    >>> baselines = [Points(playbook), FitEngagement(playbook), OdooPLS(playbook)]
    >>> catalog = Catalog.default(playbook).add(*(f for b in baselines for f in b.features))
    >>> "count_demo_request_ever" in catalog
    True
"""

from touchline.models.baselines.base import Baseline
from touchline.models.baselines.base_rate import BaseRate
from touchline.models.baselines.matrix import FitEngagement
from touchline.models.baselines.naive_bayes import OdooLeads, odoo_counts, odoo_probability
from touchline.models.baselines.odoo import OdooPLS
from touchline.models.baselines.points import Points
from touchline.models.baselines.scorecard import Ideal, Line, Rule

__all__ = [
    "BaseRate",
    "Baseline",
    "FitEngagement",
    "Ideal",
    "Line",
    "OdooLeads",
    "OdooPLS",
    "Points",
    "Rule",
    "odoo_counts",
    "odoo_probability",
]
