"""Compute the outcomes of an allocation. Pure."""
