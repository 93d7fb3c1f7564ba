"""Rules of texts: kinds, values, templates. Pure."""
