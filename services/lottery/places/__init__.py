"""Places after the draw: given up, passed on to whoever waits, and every step written into the transcript."""
