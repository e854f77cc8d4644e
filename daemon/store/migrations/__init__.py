"""Alembic's environment: how a database gets from any earlier version to the tables of today."""
