"""What Alembic runs: the revisions, in the transaction that `touchline.serve.store.schema` opened."""

from alembic import context

from touchline.serve.store.schema import VERSIONS

# SQLite's changes of the schema are transactions as well, though Alembic does not count on it.
context.configure(connection=context.config.attributes["connection"], version_table=VERSIONS, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
