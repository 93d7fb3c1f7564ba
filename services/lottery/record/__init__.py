"""Define the public record of a draw: rows, Merkle tree, manifest, transcript, passes. Pure."""
