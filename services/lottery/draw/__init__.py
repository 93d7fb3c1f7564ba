"""Hold the draw of a campaign: collect entries, freeze the list, take the randomness, run, redraw."""
