"""Store each identity encrypted, and reveal it for a stated purpose after an audit line (R-C7)."""
