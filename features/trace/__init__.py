"""Trace: from features back to the touches they stand on.

In: canonical tables, a catalogue, rows of (lead, as_of), and an amount for every row and feature, such as a Shapley
value. Out: the same amounts laid to touches, and what stands on no touch; the sum is kept. What amounts mean is the
caller's business: this is arithmetic, and knows no model.
"""

from touchline.features.trace.apportioned import Apportioned
from touchline.features.trace.trace import Trace

__all__ = ["Apportioned", "Trace"]
