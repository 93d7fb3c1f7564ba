"""Staff with names: accounts, training, sign-in, sessions, and assertions for the other services (R-S1, R-S3, R-S6)."""
