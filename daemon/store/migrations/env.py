"""Run by Alembic. It works on the connection it is given and must never open one of its own."""

from __future__ import annotations

from alembic import context

from daemon.store import summary_tables, tables  # noqa: F401 - `metadata` knows what was imported
from daemon.store.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
