"""The history of the order database's tables: one revision per change, run by lib/db/migrate.py."""
