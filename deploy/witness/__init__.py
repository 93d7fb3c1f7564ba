"""Witness of the audit log, for the ward: keeps checkpoints and cosigns those that extend the last one."""
