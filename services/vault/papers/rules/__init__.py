"""Name the states of a paper in the vault. Pure."""
