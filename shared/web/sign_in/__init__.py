"""Sign-in of staff for all services: origins, cookies, assertions of the vault, sessions of each service."""
