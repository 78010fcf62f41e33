"""How Alembic runs the migrations: on the connection that it is handed, in one transaction of the caller's."""

from alembic import context

from ntkcore.library.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
