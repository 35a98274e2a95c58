"""The order database: the system of record, on SQLite or PostgreSQL."""
