"""Provision MongoDB: one database and one user per service, with the least rights."""
