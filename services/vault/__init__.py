"""Vault (保管庫): open applications, hold identities and keys, print names. No other service does."""
