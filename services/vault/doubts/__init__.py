"""Doubts at the desk: pairs that may be of one person, and addresses that the postal table contradicts."""
