"""Decide what the scans at reception mean. Pure."""
