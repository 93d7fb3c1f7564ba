"""Rules of the desk's pages. Pure."""
