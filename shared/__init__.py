"""Modules used by all services: contracts, messaging, storage, the campaign file, the web shell."""
