"""Answer the telephone: find a person, show the application, and do what the person asks for (R-C7)."""
