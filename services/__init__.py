"""One package per service; they import `shared` and never each other."""
