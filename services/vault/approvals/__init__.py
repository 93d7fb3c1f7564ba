"""Approvals: requests, signatures of two people and more, and their single use (R-S5, R-C6; docs/protocols.md §9)."""
