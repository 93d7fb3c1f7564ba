"""Decide how places move after the draw: waiting lists, offers, corrections, their history. Pure."""
