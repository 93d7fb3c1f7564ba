"""Define the stages of a close-out and the certificate of erasure. Pure."""
