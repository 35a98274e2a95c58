"""Every figure, defined once as an expression over the mart."""
