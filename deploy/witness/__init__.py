"""Witness of the audit log, for the ward: keeps checkpoints and cosigns those that extend the last one."""

from typing import Final

NAME: Final = "kuji/witness/ward"
"""Name of a witness in its signatures, unless it is given another."""

PORT: Final = 8120
