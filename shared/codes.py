"""Make and read codes, entry ids, entry numbers and proofs. Pure; source: `docs/protocols.md` §0.

A code (確認コード) is 80 random bits. Its holder may do what only the applicant may do: correct, withdraw, give up a
place, find the own entry. The entry id and the proofs are derived from it, so that nobody without it can link them to
an application.
"""

import hashlib
import secrets
from typing import Annotated, Final, Literal, NewType

from pydantic import StringConstraints

from shared import crockford
from shared.encoding import b64url, unb64url
from shared.ids import ApplicationId, CampaignId, application_id_bytes

Code = NewType("Code", str)
"""16 Crockford symbols in upper case, without hyphens, as JSON holds them."""

EntryId = NewType("EntryId", str)
"""Entry id of the draw: 16 bytes as 32 lower-case hex digits."""

EntryNumber = NewType("EntryNumber", str)
"""Entry number (抽選番号) in its printed form, `E-7K3M-9Q2P-6`. Not unique in a large campaign."""

ProofDigest = NewType("ProofDigest", str)
"""SHA-256 of a proof, 64 lower-case hex digits: what a service stores."""

Audience = Literal["intake", "lottery"]
"""Service that a proof is for. `intake`: with the application id; `lottery`: with the entry id."""

CodeField = Annotated[Code, StringConstraints(pattern=r"^[0-9A-HJKMNP-TV-Z]{16}$")]
EntryIdField = Annotated[EntryId, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
ProofField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A proof, 32 bytes as base64url."""
ProofDigestField = Annotated[ProofDigest, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

NUMBER_BITS: Final = 40
"""Bits of an entry id that its entry number shows."""

_CODE_BYTES: Final = 10
_CODE_SYMBOLS: Final = 16
_NUMBER_SYMBOLS: Final = 8
_ENTRY_LETTER: Final = "E"


def new_code(campaign: CampaignId, application_id: ApplicationId) -> Code:
    """Return a random code for an application. A code whose entry number could not be read out is drawn again."""
    while True:
        code = Code(crockford.encode(secrets.token_bytes(_CODE_BYTES), _CODE_SYMBOLS))
        if has_entry_number(entry_id(campaign, application_id, code)):
            return code


def parse_code(text: str) -> Code:
    """Return a typed code without hyphens. Reads any case, width, hyphen and blank. Raises ValueError, without text."""
    symbols = crockford.normalise(text)
    if len(symbols) != _CODE_SYMBOLS or not set(symbols) <= set(crockford.ALPHABET):
        raise ValueError("not a code: 16 letters and digits")
    return Code(symbols)


def format_code(code: Code) -> str:
    """Return a code as people read it: four groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, _CODE_SYMBOLS, 4))


def code_bytes(code: Code) -> bytes:
    """Return the 10 bytes of a code."""
    return crockford.decode(code).to_bytes(_CODE_BYTES, "big")


def entry_id(campaign: CampaignId, application_id: ApplicationId, code: Code) -> EntryId:
    """Return the entry id of an application: first 16 bytes of SHA-256 over context, campaign, id and code."""
    derived = hashlib.sha256(
        b"kuji/entry/2\x00" + campaign.encode() + b"\x00" + application_id_bytes(application_id) + code_bytes(code)
    )
    return EntryId(derived.digest()[:16].hex())


def has_entry_number(entry: EntryId) -> bool:
    """Return True if the check symbol of the entry's number is a letter or digit. Other codes are `malformed`."""
    return _check_of(entry)[1] in crockford.ALPHABET


def entry_number(entry: EntryId) -> EntryNumber:
    """Return the entry number of an entry. Raises ValueError where its check symbol cannot be read out."""
    symbols, check = _check_of(entry)
    if check not in crockford.ALPHABET:
        raise ValueError("an entry id without an entry number")
    return EntryNumber(f"{_ENTRY_LETTER}-{symbols[:4]}-{symbols[4:]}-{check}")


def normalise_entry_number(text: str) -> EntryNumber:
    """Return a typed entry number in its printed form. Reads what `normalise_receipt` reads. Raises ValueError."""
    symbols = crockford.normalise(text)
    letter, number, check = symbols[:1], symbols[1:-1], symbols[-1:]
    well_formed = letter == _ENTRY_LETTER and len(number) == _NUMBER_SYMBOLS and set(number) <= set(crockford.ALPHABET)
    if not well_formed or crockford.check_character(number) != check:
        raise ValueError("not an entry number: ask for it to be read out again")
    return EntryNumber(f"{_ENTRY_LETTER}-{number[:4]}-{number[4:]}-{check}")


def entry_prefix(number: EntryNumber) -> str:
    """Return the first 40 bits of the entries with this number, as 10 hex digits."""
    return f"{crockford.decode(number[2:6] + number[7:11]):010x}"


def make_proof(audience: Audience, campaign: CampaignId, identity: bytes, code: Code) -> str:
    """Return the proof for a service, base64url. `identity`: 16 bytes of the application id or of the entry id."""
    context = b"kuji/proof/2\x00" + audience.encode() + b"\x00" + campaign.encode() + b"\x00"
    return b64url(hashlib.sha256(context + identity + code_bytes(code)).digest())


def intake_proof(campaign: CampaignId, application_id: ApplicationId, code: Code) -> str:
    """Return the proof that intake takes for corrections and withdrawals."""
    return make_proof("intake", campaign, application_id_bytes(application_id), code)


def lottery_proof(campaign: CampaignId, entry: EntryId, code: Code) -> str:
    """Return the proof that the lottery takes for the own entry and its places."""
    return make_proof("lottery", campaign, bytes.fromhex(entry), code)


def proof_digest(proof: str) -> ProofDigest:
    """Return SHA-256 of a proof's 32 bytes. Raises ValueError where the proof is not base64url."""
    return ProofDigest(hashlib.sha256(unb64url(proof)).hexdigest())


def _check_of(entry: EntryId) -> tuple[str, str]:
    """Return the 8 symbols of an entry's first 40 bits and their check symbol."""
    symbols = crockford.encode(bytes.fromhex(entry), _NUMBER_SYMBOLS)
    return symbols, crockford.check_character(symbols)
