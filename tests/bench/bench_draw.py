"""How long a draw takes beside what the bare library needs: python -m tests.bench.bench_draw [entries]

Prints, for one million entries by default, the seconds of bare AES over all ids and of one sort of as many numbers (the
limit: nobody can order entries without them), of our tickets with order, and of the whole allocation.
"""

import hashlib
import secrets
import sys
import time
from collections.abc import Callable

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from deploy.demo.rehearsal import SAMPLE
from services.lottery.allocation import ClassRule, Rules, allocate
from services.lottery.entries import Entry
from services.lottery.tickets import drawn_order
from shared.campaign import load_campaign

KEY = hashlib.sha256(b"bench").digest()


def main(count: int) -> None:
    ids = secrets.token_bytes(16 * count)
    entries = _entries(ids, count)
    rules = [ClassRule(c.id, c.capacity, c.starts, c.ends, c.waiting) for c in load_campaign(SAMPLE).classes]
    bare_aes = _timed("AES-256-ECB over all ids, bare", lambda: _aes(ids))
    bare_sort = _timed("np.argsort of as many numbers, bare", lambda: np.argsort(np.frombuffer(ids, "<u8")[::2]))
    order = _timed("tickets and order", lambda: drawn_order(KEY, [entry.id for entry in entries]))
    whole = _timed(
        "whole allocation: order, places, waiting lists, reasons",
        lambda: allocate(KEY, entries, rules, Rules(2, preferences=True)),
    )
    print(
        f"order is {order / (bare_aes + bare_sort):.1f} × the limit; allocation {count / whole:,.0f} entries a second"
    )


def _entries(ids: bytes, count: int) -> list[Entry]:
    classes = [(c.id, c.seats[0]) for c in load_campaign(SAMPLE).classes]
    return [
        Entry(ids[16 * n : 16 * n + 16], tuple(classes[(n + step) % 7] for step in range(1 + n % 3)))
        for n in range(count)
    ]


def _aes(ids: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES256(KEY), modes.ECB()).decryptor()  # noqa: S305  (the draw's own permutation)
    return decryptor.update(ids) + decryptor.finalize()


def _timed(what: str, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    took = time.perf_counter() - started
    print(f"{what:60} {took:8.3f} s")
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
