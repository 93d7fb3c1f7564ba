"""Rules of the erasure of one person: the certificate. No I/O."""
