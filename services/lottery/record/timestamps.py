"""Time stamps of a manifest by third parties: evidence that it existed before the randomness. Pure.

An RFC 3161 token and an OpenTimestamps proof must contain the manifest's SHA-256. Both are published byte for byte, so
that readers can check them with their own tools.
"""

import hashlib
from typing import Final, Literal

from rfc3161_client import decode_timestamp_response

from shared.errors import KujiError

Kind = Literal["rfc3161", "ots"]

MAX_BYTES: Final = 64 * 1024
_OTS_MAGIC: Final = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294")
_OTS_SHA256: Final = b"\x08"


class InvalidTimestampError(KujiError):
    """Raised when a file is not a time stamp of the manifest; the text says why."""


def check_timestamp(kind: Kind, content: bytes, manifest: str) -> None:
    """Check a time stamp. Raises InvalidTimestampError if it has another form or another hash."""
    digest = hashlib.sha256(manifest.encode("utf-8")).digest()
    if len(content) > MAX_BYTES:
        raise InvalidTimestampError("a time stamp is smaller than 64 KiB")
    if kind == "rfc3161":
        _check_rfc3161(content, digest)
    elif not content.startswith(_OTS_MAGIC) or content[len(_OTS_MAGIC) + 1 :][:33] != _OTS_SHA256 + digest:
        raise InvalidTimestampError("not an OpenTimestamps proof of the manifest's SHA-256")


def _check_rfc3161(content: bytes, digest: bytes) -> None:
    try:
        imprint = decode_timestamp_response(content).tst_info.message_imprint
    except ValueError:
        raise InvalidTimestampError("not a time-stamp response of RFC 3161 (DER, as a TSA answers)") from None
    if imprint.message != digest:
        raise InvalidTimestampError("the time stamp contains another hash than the manifest's SHA-256")
