"""Texts of notices: released templates, and the values that slip, register and campaign give them (R-B8, ADR 31)."""
