"""Decide when and how a notice goes out: states, pace, replies, texts. Pure."""
