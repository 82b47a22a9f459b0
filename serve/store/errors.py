"""What is said when the store cannot be opened, written or read; never with a lead's data in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from touchline.features import BusyError

if TYPE_CHECKING:
    from touchline.serve.store.batches import Batch


class StoreError(Exception):
    """The store, or what is asked of it, cannot be used; the message says what was expected, and what to do."""


class StoreUnavailableError(StoreError):
    """The store does not answer, or has no room, just now; trying again later will do."""


class AlreadyPublished(Exception):  # noqa: N818  # no error: the job has nothing to do
    """The same leads were scored by the same model as of the same instant already; nothing was changed.

    Attributes
    ----------
    batch
        The one that stands.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        super().__init__(f"batch {batch.id} holds these scores already; nothing was changed")


@contextmanager
def told(where: str) -> Generator[None]:
    """Turn a database's errors into ours: theirs quote the rows they fail at.

    Raises
    ------
    BusyError
        If somebody else has held the database for too long.
    StoreUnavailableError
        If it cannot be reached, or has no room.
    StoreError
        For every other error of the database.
    """
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        raise _retold(where, error) from None
    except Exception as error:
        # The driver is optional, so that its errors are known by where they come from.
        if type(error).__module__.partition(".")[0] != "psycopg":
            raise
        raise _retold(where, error) from None


def _retold(where: str, error: Exception) -> Exception:
    cause = getattr(error, "orig", None) or error
    code = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(cause).__name__)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "40001", "40P01", "55P03")):
        return BusyError(f"the store {where} is held by somebody else; try again in a moment")
    if code.startswith(("SQLITE_FULL", "53100")):
        return StoreUnavailableError(
            f"the store {where} has no room left; make room on its disk, then run the job again"
        )
    if code.startswith("SQLITE_READONLY") or code == "42501":
        return StoreError(
            f"the store {where} may not be written by this user; give it the right, or name another store"
        )
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreError(f"{where} is no database, or a damaged one; bring back a copy, or name a new file")
    if code.startswith(("08", "28", "57P", "OperationalError", "SQLITE_CANTOPEN")):
        return StoreUnavailableError(
            f"the store {where} cannot be reached ({code}); check its address, user and password, and that it runs"
        )
    return StoreError(f"the store {where} failed ({code}); run `touchline doctor`, and the job again")
