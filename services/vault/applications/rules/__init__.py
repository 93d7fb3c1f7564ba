"""Decide about an application: validity, residency, eligibility, keys of equal people. Pure."""
