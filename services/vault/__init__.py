"""The vault (保管庫): the only part that opens applications, holds identities and keys, and puts names on things."""
