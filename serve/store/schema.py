"""The schema's history: from an empty database, or an older one, to what this Touchline reads and writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from touchline.serve.store.database import Database
from touchline.serve.store.errors import StoreError

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
VERSIONS = "touchline_version"
"""The table that says which revision a database has; of our own, as others may use Alembic in the same database."""


def bring_up(database: Database, revision: str = "head") -> None:
    """Make the schema, or bring it up to a revision. Any number of processes may do so at once: one does the work.

    Raises
    ------
    StoreError
        If a newer Touchline made the schema, or the database holds something else.
    """
    with database.reading() as con:
        found = _refuse_foreign(con, database.where)
        if found is not None and found == newest_revision():
            return
    from alembic import command

    with database.migrating() as con:
        _refuse_foreign(con, database.where)
        command.upgrade(_config(con), revision)


def revision_of(con: Connection) -> str | None:
    """The revision that a database has."""
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(con, opts={"version_table": VERSIONS}).get_current_revision()


def newest_revision() -> str:
    """The revision that this Touchline works with."""
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert head is not None
    return head


def _refuse_foreign(con: Connection, where: str) -> str | None:
    from alembic.script import ScriptDirectory

    revision = revision_of(con)
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"the store {where} was written by a newer Touchline (its schema is {revision}); install that version, or "
            "name another store"
        )
    if revision is None and set(inspect(con).get_table_names()) - {VERSIONS}:
        raise StoreError(f"{where} holds tables that Touchline did not make; name a new file or database for the store")
    return revision


def _config(con: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = con
    return config
