"""Confirm one approval again by the person's factors: a passkey over the document, or password and one-time code."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from services.vault.approvals.repository import ApprovalRepository, Challenge
from services.vault.approvals.rules.approval import Approval, Signature
from services.vault.approvals.rules.challenge import NONCE_BYTES, make_challenge
from services.vault.people.passkeys import Passkeys, challenge_of
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.rules.account import Account
from services.vault.people.sign_in import PasswordAttempt, SignIn
from shared.json_types import JsonObject
from shared.staff_roles import Role
from shared.web.sign_in.origins import Origin


@dataclass(frozen=True, repr=False)
class PasskeyFactor:
    """Answer of the person's authenticator at the page of this origin."""

    origin: Origin
    answer: JsonObject


@dataclass(frozen=True, repr=False)
class PasswordFactor:
    """Password and one-time code, typed again for this approval."""

    password: str
    code: str
    device: str | None
    address: str


Factor = PasskeyFactor | PasswordFactor


class FactorCheck:
    """Make signatures. Each raises SignInRefusedError for wrong factors."""

    def __init__(self, repository: ApprovalRepository, passkeys: Passkeys, sign_in: SignIn) -> None:
        self._repository, self._passkeys, self._sign_in = repository, passkeys, sign_in

    async def passkey_options(self, origin: Origin, account: Account, approval: Approval) -> JsonObject:
        """Return the options of a challenge over this approval and this person."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        challenge = make_challenge(approval.content, account.id, nonce)
        await self._repository.put_challenge(challenge, Challenge(approval.content.id, account.id, nonce))
        return self._passkeys.confirmation_options(origin, challenge)

    async def sign(self, account: Account, approval: Approval, role: Role, factor: Factor) -> Signature:
        """Return the person's signature in this role."""
        if isinstance(factor, PasskeyFactor):
            nonce = await self._check_passkey(account, approval, factor)
            return Signature(account.id, role, _now(), "passkey", factor.answer, nonce)
        attempt = PasswordAttempt(account.id, factor.password, factor.code, factor.device, factor.address)
        await self._sign_in.check_factors(attempt)
        return Signature(account.id, role, _now(), "password+totp")

    async def _check_passkey(self, account: Account, approval: Approval, factor: PasskeyFactor) -> bytes:
        """Return the server's bytes of the challenge, which is made again from the document as it is stored now."""
        try:
            named = challenge_of(factor.answer)
        except ValueError:
            raise SignInRefusedError("wrong") from None
        asked = await self._repository.take_challenge(named)
        if asked is None or asked.approval != approval.content.id or asked.person != account.id:
            raise SignInRefusedError("wrong")
        challenge = make_challenge(approval.content, account.id, asked.nonce)
        await self._passkeys.confirm(factor.origin, account, factor.answer, challenge)
        return asked.nonce


def _now() -> datetime:
    return datetime.now(UTC)
