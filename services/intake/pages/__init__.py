"""The public pages: what the event is, the form that seals, the state of an application. Japanese first."""
