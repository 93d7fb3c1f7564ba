"""Time stamps of a manifest by others: that it existed before chance did, on somebody else's word. Pure.

An RFC 3161 token must speak of the manifest's SHA-256; an OpenTimestamps proof is kept as it is. Whoever relies on one
checks it with tools of their own; both are published byte for byte.
"""

import hashlib
from typing import Final, Literal

from rfc3161_client import decode_timestamp_response

from shared.errors import KujiError

Kind = Literal["rfc3161", "ots"]

MOST_BYTES: Final = 64 * 1024
_OTS_MAGIC: Final = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294")
_OTS_SHA256: Final = b"\x08"


class BadStamp(KujiError):  # noqa: N818  (says what is the case)
    """Not a time stamp of this manifest; the text says why."""


def check_stamp(kind: Kind, content: bytes, manifest: str) -> None:
    """Raises BadStamp where the stamp is not of this form, or speaks of something else."""
    digest = hashlib.sha256(manifest.encode("utf-8")).digest()
    if len(content) > MOST_BYTES:
        raise BadStamp("a time stamp is smaller than 64 KiB")
    if kind == "rfc3161":
        _check_rfc3161(content, digest)
    elif not content.startswith(_OTS_MAGIC) or content[len(_OTS_MAGIC) + 1 :][:33] != _OTS_SHA256 + digest:
        raise BadStamp("not an OpenTimestamps proof of the manifest's SHA-256")


def _check_rfc3161(content: bytes, digest: bytes) -> None:
    try:
        imprint = decode_timestamp_response(content).tst_info.message_imprint
    except ValueError:
        raise BadStamp("not a time-stamp response of RFC 3161 (DER, as a TSA answers)") from None
    if imprint.message != digest:
        raise BadStamp("the time stamp speaks of something else than the manifest's SHA-256")
