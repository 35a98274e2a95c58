"""Encore: what happens after the sale, for the people who run a shop."""
