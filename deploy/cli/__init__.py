"""Commands of `./kuji`, one file per group."""
