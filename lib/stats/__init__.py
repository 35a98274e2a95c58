"""Judgements: grouped frames in, results out; pure functions."""
