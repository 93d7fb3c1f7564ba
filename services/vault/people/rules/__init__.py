"""Rules about accounts, passwords and one-time codes. Pure."""
