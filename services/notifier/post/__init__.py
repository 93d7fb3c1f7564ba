"""Notices by post: batches of cards that the vault's print room renders."""
