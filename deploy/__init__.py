"""Bringing Kuji up and walking it through: the command line, the one-machine stack, the rehearsal."""
