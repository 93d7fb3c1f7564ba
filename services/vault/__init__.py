"""The vault: the only service that opens applications and knows who people are."""
