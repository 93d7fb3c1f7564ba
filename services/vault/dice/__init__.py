"""Digits of witnesses for a draw: asked for by the lottery, entered by people who signed in, signed by the vault."""
