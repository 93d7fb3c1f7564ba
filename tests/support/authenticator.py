"""A passkey in software (W3C Web Authentication 3): makes one key pair, and signs what a relying party asks."""

import hashlib
import json
import secrets

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from shared.encoding import b64url
from shared.json_types import JsonObject

_PRESENT_AND_VERIFIED, _WITH_KEY = 0x05, 0x40


class SoftwareAuthenticator:
    """Authenticator of one person for one host name; it always verifies its user."""

    def __init__(self, host: str, origin: str) -> None:
        self.origin, self._host = origin, hashlib.sha256(host.encode("ascii")).digest()
        self._key, self._id, self._count = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), 0

    def register(self, options: JsonObject) -> JsonObject:
        """Return the answer to the options of a registration."""
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self._id).to_bytes(2, "big") + self._id + cbor2.dumps(cose)
        data = self._data(_PRESENT_AND_VERIFIED | _WITH_KEY) + attested
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
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
