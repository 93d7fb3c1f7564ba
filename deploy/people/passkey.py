"""A passkey in software (W3C Web Authentication 3), for programs that play staff: one key pair for one host name."""

import hashlib
import json
import secrets
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from shared.encoding import b64url
from shared.json_types import JsonObject

_PRESENT_AND_VERIFIED: Final = 0x05
_WITH_KEY: Final = 0x40
_NO_MODEL: Final = bytes(16)


class SoftwarePasskey:
    """Passkey of one person. It always verifies its user, and counts its uses."""

    def __init__(self, host: str, origin: str) -> None:
        self.origin, self._host = origin, hashlib.sha256(host.encode("ascii")).digest()
        self._key, self._id, self._count = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), 0

    def register(self, options: JsonObject) -> JsonObject:
        """Return the answer to the options of a registration."""
        numbers = self._key.public_key().public_numbers()
        attested = _NO_MODEL + len(self._id).to_bytes(2, "big") + self._id + _cose(numbers)
        data = self._data(_PRESENT_AND_VERIFIED | _WITH_KEY) + attested
        made = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58" + bytes([len(data)]) + data
        client_data = self._client_data("webauthn.create", options)
        return self._answer({"clientDataJSON": b64url(client_data), "attestationObject": b64url(made)})

    def sign(self, options: JsonObject) -> JsonObject:
        """Return the answer to the options of a sign-in or of an approval."""
        data, client_data = self._data(_PRESENT_AND_VERIFIED), self._client_data("webauthn.get", options)
        signature = self._key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(hashes.SHA256()))
        members = {"clientDataJSON": client_data, "authenticatorData": data, "signature": signature}
        return self._answer({name: b64url(value) for name, value in members.items()})

    def _data(self, flags: int) -> bytes:
        self._count += 1
        return self._host + bytes([flags]) + self._count.to_bytes(4, "big")

    def _client_data(self, kind: str, options: JsonObject) -> bytes:
        content = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(content).encode("utf-8")

    def _answer(self, response: JsonObject) -> JsonObject:
        name = b64url(self._id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _cose(numbers: ec.EllipticCurvePublicNumbers) -> bytes:
    """Return the key as a COSE map in CBOR (RFC 9053 §7.1): kty EC2, alg ES256, crv P-256, x and y."""
    x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
    return b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" + x + b"\x22\x58\x20" + y
