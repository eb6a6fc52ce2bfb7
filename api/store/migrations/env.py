"""What alembic runs to run the steps: on the connection, and in the one transaction, that `upgrade` hands it.

It begins no transaction itself: the one it is given holds for all steps, on SQLite too, whose driver is told when to
begin. The rule: if a step fails, all that ran with it are undone.
"""

from alembic import context

from api.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
