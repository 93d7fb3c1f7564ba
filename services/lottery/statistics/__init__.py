"""Count demand and places, and show how far a draw has come."""
