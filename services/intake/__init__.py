"""The blind front door: takes sealed applications, gives receipts, and cannot read what it passes on."""
