"""Decide about submissions: form, window, proof of work, states. Pure."""
