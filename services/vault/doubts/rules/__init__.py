"""Rules of the pages of doubts. Pure."""
