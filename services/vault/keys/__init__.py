"""Keep the keys: root key, campaign keys, data keys, sealing keys (R-C8)."""
