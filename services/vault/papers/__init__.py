"""Take faxes and scans in: open, scan for malware, store encrypted, show to a handler (R-B5)."""
