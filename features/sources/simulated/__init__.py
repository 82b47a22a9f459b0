"""Simulated source: B2B touch histories whose exact win probability is known.

In: how many leads, a seed, a `World` (rates, hazards, shares) and `Traps` (the dirt of real exports, each countable).
Out: the input tables of Touchline as Parquet files in one folder, plus `truth.parquet`, which holds for each lead and
as-of date the Bayes-optimal chance to be won within the horizon: nobody who reads the same tables can do better, so
the distance of a model to it is the distance to perfection.

The story runs on a weekly clock. Each account has a hidden intent (dormant, aware, evaluating, buying), a hidden part
of its fit and a hidden style; rates and hazards depend on these and on what everybody can see. That makes the forward
filter over the hidden states exact (`optimum`), for accounts are independent of one another.
"""

from touchline.features.sources.simulated.simulation import PlantedTraps, Simulation, simulate
from touchline.features.sources.simulated.traps import Traps
from touchline.features.sources.simulated.world import DEFAULT_WORLD, NULL_WORLD, World

__all__ = ["DEFAULT_WORLD", "NULL_WORLD", "PlantedTraps", "Simulation", "Traps", "World", "simulate"]
