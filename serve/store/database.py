"""The database under the store: SQLite in a file, or PostgreSQL. All that is special to either stands here.

Every connection of PostgreSQL works in the schema `touchline`, so that the store can share a database. SQLite keeps a
write-ahead log, so that readers and a writer do not wait for each other.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from touchline.features import BusyError
from touchline.features.tables.publish import locked
from touchline.serve.store.errors import StoreError, told

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection

SCHEMA = "touchline"
_BUSY_SECONDS = 30
_WRITER, _ROWS, _MIGRATION = 7_309_401, 7_309_402, 7_309_403
"""Advisory locks of PostgreSQL: of the one writer of batches, of those who write leads' rows, of the schema."""


@dataclass(frozen=True)
class Database:
    """Where the store lives.

    Attributes
    ----------
    engine
        SQLAlchemy's.
    where
        What errors call it; without a password.
    path
        Of SQLite's file.
    """

    engine: Engine
    where: str
    path: Path | None

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection that sees one state of the store, whatever is written meanwhile."""
        with told(self.where):
            level = None if self.path else "REPEATABLE READ"
            engine = self.engine.execution_options(isolation_level=level) if level else self.engine
            with engine.begin() as con:
                yield con

    @contextmanager
    def changing(self) -> Generator[Connection]:
        """A short transaction that writes."""
        with told(self.where), self._connected() as con, con.begin():
            self.hold_rows(con)
            yield con

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """The connection of the one writer of batches; the lock ends with it, even if the process is killed.

        Raises
        ------
        BusyError
            If there is another.
        """
        if self.path is not None:
            with locked(self.path), told(self.where), self._connected() as con:
                yield con
            return
        with told(self.where), self._connected() as con:
            with con.begin():
                alone = con.scalar(select(func.pg_try_advisory_lock(_WRITER)))
            if not alone:
                raise BusyError(f"another job is writing to {self.where}; try again when it is done")
            try:
                yield con
            finally:
                # The server lets go of the lock with the connection, which therefore must not go back to the pool.
                with suppress(SQLAlchemyError):
                    con.invalidate()

    @contextmanager
    def migrating(self) -> Generator[Connection]:
        """A transaction that nobody else migrates in."""
        if self.path is not None:
            # The file stays: a lock whose file goes away is a lock that two can hold.
            with self.path.with_name(f".{self.path.name}.schema.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                with told(self.where):
                    with self.engine.connect() as con:
                        con.connection.cursor().execute("PRAGMA journal_mode = WAL")
                    with self._connected() as con, con.begin():
                        yield con
            return
        with told(self.where), self._connected() as con, con.begin():
            con.execute(select(func.pg_advisory_xact_lock(_MIGRATION)))
            con.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            yield con

    def hold_rows(self, con: Connection) -> None:
        """Keep others from writing or erasing leads' rows until the transaction ends; SQLite has one writer anyway."""
        if self.path is None:
            con.execute(select(func.pg_advisory_xact_lock(_ROWS)))

    @contextmanager
    def _connected(self) -> Generator[Connection]:
        with self.engine.connect().execution_options(writes=True) as con:
            yield con


def connect(address: str | Path) -> Database:
    """The database at an address: a file's path, or `postgresql://…`.

    Raises
    ------
    StoreError
        If there is no driver for it, or the address is none.
    """
    text = str(address)
    if "://" not in text:
        return _sqlite(Path(text).absolute())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError("the store's address cannot be read; write it as postgresql://user@host/database") from None
    if url.drivername.partition("+")[0] not in ("postgresql", "postgres"):
        raise StoreError(f"a store cannot be kept in {url.drivername}; name a file for SQLite, or postgresql://…")
    return _postgresql(url.set(drivername="postgresql+psycopg"))


def _sqlite(path: Path) -> Database:
    if not path.parent.is_dir():
        raise StoreError(f"{path.parent} is no folder; make it, or name another place for the store")
    try:
        # Made by us, so that nobody else may read it: the log and the index beside it inherit that.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be opened ({error.strerror}); name a file that you may write") from None
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, and not where the driver guesses
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = NORMAL")  # with a write-ahead log nothing can be torn
        cursor.execute("PRAGMA secure_delete = ON")  # who is forgotten is gone from the file, too
        cursor.execute("PRAGMA cache_size = -64000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(con: Connection) -> None:
        con.exec_driver_sql("BEGIN IMMEDIATE" if con.get_execution_options().get("writes") else "BEGIN")

    return Database(engine, str(path), path)


def _postgresql(url: URL) -> Database:
    try:
        engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": 10})
    except ModuleNotFoundError:
        raise StoreError("the driver of PostgreSQL is missing; run `pip install touchline[postgres]`") from None

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET search_path TO {SCHEMA}")
        connection.execute("SET timezone TO 'UTC'")
        connection.autocommit = False

    return Database(engine, url.render_as_string(hide_password=True), None)
