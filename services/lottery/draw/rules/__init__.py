"""Name the states of a draw and what its freeze waits for. Pure."""
