"""Read delivery reports (RFC 3464). Pure."""
