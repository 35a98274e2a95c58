"""The tables of the order database, one module per area."""
