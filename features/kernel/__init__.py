"""Kernel: every window of every feature in one pass over facts sorted by lead and time.

In: a catalogue (`lower`, `bind`) and blocks of whole accounts as arrays. Out: numbers in float32 and codes in int32,
one row per (lead, as_of). It knows no engine: engines bring the blocks.
"""

from touchline.features.kernel.compute import Block, Computed, compute
from touchline.features.kernel.lower import Column, Lowered, lower
from touchline.features.kernel.program import Program, bind

__all__ = ["Block", "Column", "Computed", "Lowered", "Program", "bind", "compute", "lower"]
