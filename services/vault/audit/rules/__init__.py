"""Verification of an exported audit log. Pure."""
