"""Compute demand and timeline of a draw. Pure."""
