"""Close-out: return of all data to the ward, erasure in every service, and the certificate (R-C11, R-C12)."""
