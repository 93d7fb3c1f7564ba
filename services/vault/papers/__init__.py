"""The paper inbox of the vault: faxes and scans are opened, scanned, kept encrypted, and shown to a handler (R-B5)."""
