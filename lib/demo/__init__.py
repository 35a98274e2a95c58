"""The made-up store, whose truth is known."""
