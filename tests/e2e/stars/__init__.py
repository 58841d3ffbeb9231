"""A task that tunegate does not have, as somebody would add it: one package, one line in the table."""
