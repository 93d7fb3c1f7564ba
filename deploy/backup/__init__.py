"""Backups: the databases in one kind of archive, the vault's key folder in another, never both in one."""
