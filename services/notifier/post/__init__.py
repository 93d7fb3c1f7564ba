"""Notices by post: texts as cards, and the batches of cards that the vault's print room renders."""
