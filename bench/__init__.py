"""Speed and size, measured: ``make bench`` prints one table."""
