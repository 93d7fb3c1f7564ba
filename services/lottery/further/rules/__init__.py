"""Decide what a further round changes for one entry. Pure."""
