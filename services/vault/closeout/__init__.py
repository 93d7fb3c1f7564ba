"""Close-out: everything goes back to the ward, is erased here, and a certificate says so (R-C11, R-C12)."""
