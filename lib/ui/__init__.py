"""The shell around the pages: access, scope, cards, tables."""
