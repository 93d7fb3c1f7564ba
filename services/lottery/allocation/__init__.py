"""Allocate seats to entries by ticket, choice and group size. Pure."""
