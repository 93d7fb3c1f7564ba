"""Run the beacon of a rehearsal: a relay with a key of its own, which answers no round before its time."""
