"""Staff actions: permission, input, lock, rule, write, audit, in one transaction."""
