"""Rules of the ceremony: pure, without a database."""
