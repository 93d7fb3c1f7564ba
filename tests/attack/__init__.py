"""Attacks on an installation, each with exactly one service's credentials (issue 10)."""
