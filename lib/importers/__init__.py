"""Readers of other systems' exports, and the loader that alone writes what they yield."""
