"""Engines: where features are computed. Each brings whole accounts to the same kernel and gets the same bits.

In: canonical tables, snapshots, a catalogue. Out: Arrow tables of keys, labels and features, part after part.
"""

from touchline.features.engines.local import LocalEngine
from touchline.features.engines.spark import SparkEngine

__all__ = ["LocalEngine", "SparkEngine"]
