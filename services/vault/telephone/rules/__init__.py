"""Decide what the telephone desk may search, show and do. Pure."""
