"""Fuzzing: made-up inputs for every endpoint, every consumer and the parsers of what strangers send.

`inputs` makes them, `installation` runs the four services, `http`, `consumers` and `parsers` send, `outcome` judges.
"""
