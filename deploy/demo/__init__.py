"""The rehearsal: synthetic people apply as outsiders would, and every promise is checked at the end."""
