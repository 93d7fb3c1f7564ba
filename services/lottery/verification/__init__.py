"""Verify a transcript from published files alone. Pure."""
