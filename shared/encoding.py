"""Text forms of bytes on the wire: base64url without padding (RFC 4648 §5)."""

import base64
import binascii


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64url(text: str) -> bytes:
    """Decode unpadded base64url.

    Raises ValueError for padding, for characters outside the alphabet and for non-canonical trailing
    bits, so that one byte string has one text and a body hash cannot be dodged. The text is not echoed.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64url") from None
    if b64url(data) != text:
        raise ValueError("not canonical base64url")
    return data
