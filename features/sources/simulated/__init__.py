"""Simulated source: B2B touch histories whose exact win probability is known.

In: how many leads, a seed, a `World` (rates, hazards, shares) and `Traps` (the dirt of real exports, each countable).
Out: the input tables of Touchline as Parquet files in one folder, plus `truth.parquet`, which holds for each lead and
as-of date the Bayes-optimal chance to be won within the horizon: nobody who reads the same tables can do better, so
the distance of a model to it is the distance to perfection.

The story runs on a weekly clock. Each account has a hidden intent (dormant, aware, evaluating, buying), a hidden part
of its fit and a hidden style; rates and hazards depend on these and on what everybody can see. That makes the forward
filter over the hidden states exact (`optimum`), for accounts are independent of one another.

Four worlds come ready, so that nobody tunes to one. `DEFAULT_WORLD`: intent lives on the account, colleagues tell of
one another. `CONTACT_WORLD`: it lives on the contact, colleagues tell nothing. `DRIFT_WORLD`: the default until week
112, when some touches lose their meaning and others gain one. `NULL_WORLD`: there is nothing to find.
"""

from touchline.features.sources.simulated.simulation import PlantedTraps, Simulation, simulate, truth_given
from touchline.features.sources.simulated.told import GROUPS
from touchline.features.sources.simulated.traps import Traps
from touchline.features.sources.simulated.world import (
    CONTACT_WORLD,
    DEFAULT_WORLD,
    DRIFT_WORLD,
    NULL_WORLD,
    Drift,
    World,
)

__all__ = [
    "CONTACT_WORLD",
    "DEFAULT_WORLD",
    "DRIFT_WORLD",
    "GROUPS",
    "NULL_WORLD",
    "Drift",
    "PlantedTraps",
    "Simulation",
    "Traps",
    "World",
    "simulate",
    "truth_given",
]
