"""Peers: one file each, run as a process of its own, from one file of touches to one file of features.

A peer's module has one function, from a `Task` to nothing, and ends in `run(that function)`. It may import what its own
environment holds, Python's own library, and `benchmarks.features.feature_set`; nothing of Touchline unless it is
Touchline.
"""

from benchmarks.features.peers.task import Task, run

__all__ = ["Task", "run"]
