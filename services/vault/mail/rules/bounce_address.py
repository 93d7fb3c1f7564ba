"""Bounce address of one notice, `b+<20 hex digits of the notice id>.<mac>`: local part of its envelope sender. Pure.

The mac is the first 50 bits of HMAC-SHA-256 under the bounce key of the installation (`docs/protocols.md` §3), so that
a report to an address that the vault did not make is refused before anything is looked up.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Final

from shared import crockford
from shared.ids import NoticeId

CONTEXT: Final = b"kuji/bounce/2"
MAC_CHARACTERS: Final = 10
_NOTICE: Final = re.compile(r"n-([0-9a-f]{20})")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_LOCAL: Final = re.compile(r"b\+([0-9a-f]{20})\.([0-9a-hjkmnp-tv-z]{10})")


@dataclass(frozen=True)
class BounceAddresses:
    """Make and check bounce addresses of one domain with the bounce key (32 bytes)."""

    domain: str
    key: bytes = field(repr=False)

    def format(self, notice: str) -> str | None:
        """Return the envelope sender of the notice; None for an id of another form."""
        digits = _NOTICE.fullmatch(notice)
        return None if digits is None else f"b+{digits[1]}.{self._mac(notice)}@{self.domain}"

    def parse(self, address: str) -> NoticeId | None:
        """Return the notice of an address with the right domain and mac; else None.

        Mail servers may change the case of letters, and quote the local part (RFC 5321 §4.1.2).
        """
        local, _, domain = address.lower().rpartition("@")
        parts = _LOCAL.fullmatch(_unquote(local))
        if parts is None or domain.removesuffix(".") != self.domain.lower() or not address.isascii():
            return None
        notice = f"n-{parts[1]}"
        return NoticeId(notice) if hmac.compare_digest(parts[2], self._mac(notice)) else None

    def _mac(self, notice: str) -> str:
        digest = hmac.digest(self.key, CONTEXT + b"\0" + notice.encode("ascii"), hashlib.sha256)
        return crockford.encode(digest, MAC_CHARACTERS).lower()


def _unquote(local: str) -> str:
    quoted = _QUOTED.fullmatch(local)
    return local if quoted is None else re.sub(r"\\(.)", r"\1", quoted[1])
