"""People at an installation, from the outside: a browser without a screen, and invented accounts of rehearsals."""
