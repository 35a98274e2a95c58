"""The revisions, in the order in which they name each other."""
