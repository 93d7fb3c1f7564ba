"""Encrypt, open and seal with keys that the caller holds. Pure."""
