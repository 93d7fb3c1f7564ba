"""drand's quicknet, the one beacon Kuji takes randomness from: its chain, its key, and when its rounds come.

Values as published by the League of Entropy: scheme bls-unchained-g1-rfc9380, a round every 3 seconds since genesis.
"""

from datetime import datetime

from shared.campaign.beacon_schedule import QUICKNET

CHAIN = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
PUBLIC_KEY = (
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c"
    "8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb"
    "5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)


def time_of(round_number: int) -> datetime:
    """Return the time at which the round is published; its value is unknown before."""
    return QUICKNET.time_of(round_number)


def round_after(at: datetime) -> int:
    """Return the first round that is published later than `at`."""
    return QUICKNET.round_after(at)
