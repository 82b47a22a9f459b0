"""The score store: each night's scores with their reasons, and what sales does with them.

In: parts of a batch as Arrow tables or frames of pandas (`Part`), staged unseen and published at once. Out: the best
leads page by page, one lead with all that is known of it, histories; hand-offs, verdicts and watch lists. A SQLite file
or PostgreSQL; batches go when they are old enough, people when they ask to.
"""

from touchline.serve.store.batches import Batch, Lineage
from touchline.serve.store.checking import Health
from touchline.serve.store.errors import AlreadyPublished, StoreError
from touchline.serve.store.reading import HISTORY, Before, Page, StoredLead
from touchline.serve.store.sales import Feedback, Handoff
from touchline.serve.store.shapes import SHAPES, Part
from touchline.serve.store.store import Entry, Store
from touchline.serve.store.writing import Staging

__all__ = [
    "HISTORY",
    "SHAPES",
    "AlreadyPublished",
    "Batch",
    "Before",
    "Entry",
    "Feedback",
    "Handoff",
    "Health",
    "Lineage",
    "Page",
    "Part",
    "Staging",
    "Store",
    "StoreError",
    "StoredLead",
]
