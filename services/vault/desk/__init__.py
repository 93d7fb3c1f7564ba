"""The desk: what waits for handlers, keying of papers, and how well papers are keyed. Pages of the vault for staff."""
