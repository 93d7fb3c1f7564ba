"""Notices by mail: orders to the vault's mail room, its answers, and reports on mails that did not arrive."""
