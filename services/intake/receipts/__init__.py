"""Give receipt numbers and sign receipt documents (`docs/protocols.md` §0)."""
