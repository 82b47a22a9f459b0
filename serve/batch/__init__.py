"""Batch: many leads scored and explained at once, as columns.

In: feature sets of the leads and a model. Out: `Explained`: chances, scales, reasons, what changed.
"""

from touchline.serve.batch.explaining import Explained, Explaining, Frames

__all__ = ["Explained", "Explaining", "Frames"]
