"""Passkeys (W3C Web Authentication 3): registered by a signed-in person, user verification always required."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.vault.audit import AuditEvent, AuditLog
from services.vault.people.factor_changes import FactorChanges
from services.vault.people.passkey_repository import Passkey, PasskeyExistsError, PasskeyRepository
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account, StaffId
from services.vault.people.rules.staff_mail import StaffMailKind
from services.vault.people.sign_in import Present, SignedIn, SignIn
from shared.encoding import b64url, unb64url
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork
from shared.web.attempts import AttemptLimit
from shared.web.sign_in.origins import Origin

_NAME: Final = "Kuji"
_CHALLENGES: Final = 300
"""Challenges for sign-ins that one address gets in 15 minutes: an office with one address has many people."""

_WINDOW_S: Final = 15 * 60


class Passkeys:
    """Register passkeys and sign in with them. The relying party's id is the vault's full host name."""

    def __init__(
        self,
        store: Store,
        accounts: AccountRepository,
        passkeys: PasskeyRepository,
        sign_in: SignIn,
        changes: FactorChanges,
        audit: AuditLog,
    ) -> None:
        self._asked = AttemptLimit(_CHALLENGES, _WINDOW_S)
        self._store, self._accounts, self.repository = store, accounts, passkeys
        self._sign_in, self._changes, self._audit = sign_in, changes, audit

    async def registration_options(self, origin: Origin, account: Account) -> JsonObject:
        """Return the options with which a browser makes a passkey for this person."""
        known = [PublicKeyCredentialDescriptor(unb64url(key.id)) for key in await self.repository.of(account.id)]
        options = generate_registration_options(
            rp_id=origin.host,
            rp_name=_NAME,
            user_id=_handle(account.id),
            user_name=account.id,
            user_display_name=account.id,
            exclude_credentials=known,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        await self.repository.put_challenge(options.challenge, account.id)
        return options_to_json_dict(options)

    async def register(self, origin: Origin, account: Account, answer: JsonObject, device: str | None) -> SignedIn:
        """Store the new passkey, end the person's other sessions, and go on in a new one. Raises SignInRefusedError."""
        challenge = await self._take_challenge(answer, account.id)
        try:
            made = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=origin.host,
                expected_origin=origin.text,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise SignInRefusedError("wrong") from None
        passkey = Passkey(
            b64url(made.credential_id), account.id, made.credential_public_key, made.sign_count, datetime.now(UTC)
        )
        await self._record(account, "add-passkey")

        async def store(uow: UnitOfWork) -> None:
            await self.repository.insert(uow, passkey)
            await self._changes.publish(uow, account, StaffMailKind.PASSKEY_ADDED)

        try:
            await self._store.transact(store)
        except PasskeyExistsError:
            raise SignInRefusedError("wrong") from None
        return await self._sign_in.start(account, "passkey", device)

    async def delete(self, present: Present, passkey_id: str, device: str | None) -> SignedIn | None:
        """Delete a passkey, end the person's other sessions, and go on in a new one; None if there is no such passkey.

        Raises SignInRefusedError.
        """
        account = present.account
        await self._record(account, "delete-passkey")

        async def delete(uow: UnitOfWork) -> bool:
            if not await self.repository.delete(uow, account.id, passkey_id):
                return False
            await self._changes.publish(uow, account, StaffMailKind.PASSKEY_REMOVED)
            return True

        if not await self._store.transact(delete):
            return None
        return await self._sign_in.start(account, present.session.method, device)

    async def sign_in_options(self, origin: Origin, address: str) -> JsonObject:
        """Return the options of a sign-in; the browser offers the passkeys that it has for this host.

        Raises SignInRefusedError where the address asked too often: each challenge is stored for five minutes.
        """
        if not await self._asked.take(address):
            raise SignInRefusedError("too-many")
        options = generate_authentication_options(
            rp_id=origin.host, user_verification=UserVerificationRequirement.REQUIRED
        )
        await self.repository.put_challenge(options.challenge, None)
        return options_to_json_dict(options)

    async def sign_in(
        self, origin: Origin, answer: JsonObject, device: str | None, address: str | None = None
    ) -> SignedIn:
        """Return a new session. Raises SignInRefusedError."""
        challenge = await self._take_challenge(answer, None)
        passkey = await self.repository.find(str(answer.get("id", "")))
        stored = None if passkey is None else await self._accounts.find(passkey.staff_id)
        if passkey is None or stored is None:
            raise SignInRefusedError("wrong")
        await self._verify_use(origin, passkey, challenge, answer)
        return await self._sign_in.start(stored.account, "passkey", device, address)

    def confirmation_options(self, origin: Origin, challenge: bytes) -> JsonObject:
        """Return the options with which a browser signs this challenge."""
        options = generate_authentication_options(
            rp_id=origin.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        return options_to_json_dict(options)

    async def confirm(self, origin: Origin, account: Account, answer: JsonObject, challenge: bytes) -> None:
        """Check that a passkey of this person signed the challenge. Raises SignInRefusedError."""
        passkey = await self.repository.find(str(answer.get("id", "")))
        if passkey is None or passkey.staff_id != account.id:
            raise SignInRefusedError("wrong")
        await self._verify_use(origin, passkey, challenge, answer)

    async def _verify_use(self, origin: Origin, passkey: Passkey, challenge: bytes, answer: JsonObject) -> None:
        """Verify an answer and count it. Raises SignInRefusedError."""
        try:
            used = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=origin.host,
                expected_origin=origin.text,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            await self._accounts.record_failure(passkey.staff_id)
            raise SignInRefusedError("wrong") from None
        if not await self.repository.count_use(passkey, used.new_sign_count):
            raise SignInRefusedError("wrong")

    async def _take_challenge(self, answer: JsonObject, staff_id: StaffId | None) -> bytes:
        """Return the challenge that the answer names, taken. Raises SignInRefusedError."""
        try:
            challenge = challenge_of(answer)
        except ValueError:
            raise SignInRefusedError("wrong") from None
        if not await self.repository.take_challenge(challenge, staff_id):
            raise SignInRefusedError("wrong")
        return challenge

    async def _record(self, account: Account, action: str) -> None:
        role = "+".join(sorted(account.roles))
        await self._audit.record([AuditEvent(account.id, role, action, account.id, None, None, "done")])


def challenge_of(answer: JsonObject) -> bytes:
    """Return the challenge that an authenticator's answer names. Raises ValueError for an answer of another form."""
    try:
        response: Any = answer["response"]
        return parse_client_data_json(unb64url(str(response["clientDataJSON"]))).challenge
    except (WebAuthnException, KeyError, TypeError):
        raise ValueError("no answer of an authenticator") from None


def _handle(staff_id: StaffId) -> bytes:
    """Return the user handle: no name, and the same for all passkeys of a person."""
    return hashlib.sha256(b"kuji/passkey-handle/1\x00" + staff_id.encode()).digest()
