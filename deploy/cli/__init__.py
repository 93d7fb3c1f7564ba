"""`./kuji`: every habit of the house is one of its commands. One file per group of commands."""
