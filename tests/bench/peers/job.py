"""One application's way as plain functions: receive, open, validate, store encrypted, hand on, enter.

Every queue calls the same functions, with the same cryptography and the same MongoDB as Kuji's services. What Kuji does
beyond this is not here: signed events, duplicate search, audit log, roll, versions, an inbox against double delivery.
"""

import json
import os
from functools import cache
from typing import Any

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from pydantic import BaseModel, ConfigDict, ValidationError
from pymongo import MongoClient
from pymongo.database import Database

from shared.encoding import b64url, unb64url

AMQP_URL, MONGO_URL = "PEER_AMQP_URL", "PEER_MONGO_URL"
SEED, AT_REST = "PEER_SEED", "PEER_AT_REST"
"""Names of the settings: addresses of the servers, the 96 bytes of the sealing key, and the key for stored people."""

_DATABASE = "peer"
_INFO = b"peer/application/1"


class Form(BaseModel):
    """Content of an application, as far as the work needs it."""

    model_config = ConfigDict(extra="allow")
    applicant: dict[str, Any]
    choices: list[dict[str, Any]]


def suite() -> hpke.Suite:
    """Return the suite of `docs/protocols.md` §1."""
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@cache
def private_key() -> hpke.MLKEM768X25519PrivateKey:
    """Return the key that opens applications."""
    seed = unb64url(os.environ[SEED])
    return hpke.MLKEM768X25519PrivateKey(
        mlkem.MLKEM768PrivateKey.from_seed_bytes(seed[:64]), x25519.X25519PrivateKey.from_private_bytes(seed[64:])
    )


def seal(plaintext: bytes) -> str:
    """Seal a content, as an applicant's browser does."""
    return b64url(suite().encrypt(plaintext, private_key().public_key(), _INFO))


@cache
def database() -> Database[dict[str, Any]]:
    """Return the database of this process; writes are confirmed by the majority, as Kuji's are."""
    return MongoClient[dict[str, Any]](os.environ[MONGO_URL], w="majority", journal=True)[_DATABASE]


def receive(application_id: str, sealed: str) -> None:
    """Keep what arrived, before it is answered."""
    database()["received"].insert_one({"_id": application_id, "sealed": sealed})


def take(application_id: str, sealed: str) -> list[dict[str, Any]]:
    """Open, validate and store one application; return its choices, none where it has another form.

    Doing it twice changes nothing.
    """
    content = suite().decrypt(unb64url(sealed), private_key(), _INFO)
    try:
        form = Form.model_validate_json(content)
    except ValidationError:
        form = Form(applicant={}, choices=[])
    person = Fernet(os.environ[AT_REST]).encrypt(json.dumps(form.applicant).encode())
    row = {"person": person, "choices": form.choices, "state": "accepted" if form.choices else "rejected"}
    database()["applications"].update_one({"_id": application_id}, {"$set": row}, upsert=True)
    return form.choices


def enter(application_id: str, choices: list[dict[str, Any]]) -> None:
    """Enter an application in the list of the draw."""
    database()["entries"].update_one({"_id": application_id}, {"$set": {"choices": choices}}, upsert=True)


def count_entries() -> int:
    """Count the applications that went the whole way."""
    return int(database()["entries"].estimated_document_count())
