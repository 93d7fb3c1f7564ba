"""States of a delivery, and the checks of a notice document. Pure."""
