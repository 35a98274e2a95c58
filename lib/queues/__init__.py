"""Live lists, read from the order database by keyset."""
