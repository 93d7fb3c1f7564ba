"""Derive the draw key from dice and beacon; read drand rounds from relays."""
