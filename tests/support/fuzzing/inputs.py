"""Make inputs: change values of the right shape, and bytes, in ways that programs of strangers do and none of ours."""

import copy
import json
import random
import sys
from typing import Any, Final

from tests.support.fuzzing.outcome import CANARY

_TEXTS: Final = (
    CANARY, f"{CANARY}\r\nX: y", f"<script>{CANARY}</script>", f"{{{{{CANARY}}}}}", f"{CANARY}\x00", f"\ud800{CANARY}",
    f"髙𠮷{CANARY}", f"\u202e{CANARY}", f"../../{CANARY}", f"${CANARY}", f"{CANARY}%00%ff", CANARY * 400, "", " ",
    "\x00", "0", "-1", "1e999", "NaN", "null", "９９９", "２０１８-０５-１５", "2018-02-30",
    "0000-00-00", "١٢٣", "²", "A" * 48, "W-7K3M-9Q2P-6", "777-days", "=" * 43, "a" * 64, "ｶﾞ" * 50,
    "9999-12-31T23:59:60+99:99", "\U0001f468\u200d\U0001f469" * 20,
    "\u0301" * 200, "$where", "a.b", "[::1]", "urn:kuji:x",
)  # fmt: skip
_NUMBERS: Final = (0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63) - 1, 10**40, 0.5, -0.0, 1e308, True)
_ODD_BYTES: Final = (
    b"\xff\xfe", b"\x00", b"\r\n\r\n", b"\n", b"=?utf-8?b?", b"%00", b"\xed\xa0\x80", b"NaN", b"1e999", b"--", b"<",
    b'"', b"\\", b"{", b"[" * 200, b"}", CANARY.encode(), CANARY.encode() * 200, b"\x1b$B", b"\x80" * 9, b"\xff\xd9",
)  # fmt: skip


class Inputs:
    """Source of inputs. The same seed makes the same inputs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311  (repeatable, and no secret)

    def value(self, depth: int = 0) -> Any:
        """Return any JSON value, often one with the canary."""
        roll = self.random.random()
        if roll < 0.55 or depth > 2:
            return self.text()
        if roll < 0.75:
            return self.random.choice(_NUMBERS)
        if roll < 0.8:
            return None
        if roll < 0.9:
            return [self.value(depth + 1) for _ in range(self.random.choice((0, 1, 3, 300)))][: 300 // (depth + 1)]
        if roll < 0.92:
            return _nested(self.random.choice((5, 60, 900)))
        return {self.text(): self.value(depth + 1) for _ in range(self.random.randint(0, 3))}

    def text(self) -> str:
        """Return a text that some program may stumble over."""
        return self.random.choice(_TEXTS)

    def changed(self, value: Any) -> Any:
        """Return a copy of a JSON value with one to three changes anywhere in it."""
        changed = copy.deepcopy(value)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            changed = self._change(changed)
        return changed

    def _change(self, value: Any) -> Any:
        place = self._place(value)
        if place is None or self.random.random() < 0.03:
            return self.value()
        holder, key = place
        roll = self.random.random()
        if roll < 0.55:
            holder[key] = self.value()
        elif roll < 0.65:
            del holder[key]
        elif roll < 0.75 and isinstance(holder, dict):
            holder[self.text()] = self.value()
        elif roll < 0.85 and isinstance(holder, list):
            holder.extend([holder[key]] * self.random.choice((1, 20)))
        elif isinstance(holder[key], str):
            holder[key] = self.changed_text(holder[key])
        elif isinstance(holder[key], int) and not isinstance(holder[key], bool):
            holder[key] += self.random.choice((-1, 1, 10**9, -(10**9)))
        else:
            holder[key] = [holder[key]]
        return value

    def _place(self, value: Any) -> tuple[Any, Any] | None:
        """Return a holder and key anywhere in the value, the deep ones too; None where it holds nothing."""
        places, waiting = list[tuple[Any, Any]](), [value]
        while waiting and len(places) < 400:
            holder = waiting.pop()
            keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
            places += [(holder, key) for key in keys]
            waiting += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
        return self.random.choice(places) if places else None

    def changed_text(self, text: str) -> str:
        """Return the text with something inserted, left out or exchanged."""
        at, end = sorted(self.random.randint(0, len(text)) for _ in range(2))
        part = self.random.choice(("", self.text(), chr(self.random.randint(1, 0x2FFF)), text[at:end] * 2))
        return text[:at] + part + text[self.random.choice((at, end, min(len(text), at + 1))) :]

    def changed_bytes(self, data: bytes, most: int = 1 << 20) -> bytes:
        """Return the bytes with one to four changes: flips, cuts, repetitions, odd sequences."""
        changed = bytearray(data)
        for _ in range(self.random.choice((1, 1, 2, 4))):
            at, end = sorted(self.random.randint(0, len(changed)) for _ in range(2))
            end = min(end, at + self.random.choice((1, 8, 64, 4096)))
            roll = self.random.random()
            if roll < 0.4 and changed:
                changed[min(at, len(changed) - 1)] ^= 1 << self.random.randrange(8)
            elif roll < 0.6:
                changed[at:at] = self.random.choice(_ODD_BYTES)
            elif roll < 0.8:
                del changed[at:end]
            elif roll < 0.9:
                changed[at:at] = changed[at:end] * self.random.choice((1, 1, 50))
            else:
                changed[at:end] = self.random.randbytes(end - at)
        return bytes(changed[:most])

    def json(self, value: Any) -> bytes:
        """Return the value as JSON, now and then damaged."""
        written = _written(value, ensure_ascii=self.random.random() < 0.5)
        data = written.encode("utf-8", "surrogatepass")
        return self.changed_bytes(data) if self.random.random() < 0.15 else data


def _written(value: Any, *, ensure_ascii: bool) -> str:
    """Return the value as JSON, also one that is nested as deeply as Python's stack allows."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(5 * limit)
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii, allow_nan=True)
    finally:
        sys.setrecursionlimit(limit)


def _nested(depth: int) -> Any:
    value: Any = CANARY
    for each in range(depth):
        value = [value] if each % 2 else {"a": value}
    return value
