"""The parts of people, made once for a vault process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from services.vault.audit import AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.people import (
    code_repository,
    passkey_repository,
    repository,
    request_repository,
    session_repository,
    staff_mail_repository,
)
from services.vault.people.code_repository import CodeRepository
from services.vault.people.duty import DutyCheck
from services.vault.people.enrolment import Enrolment
from services.vault.people.factor_changes import FactorChanges
from services.vault.people.passkey_repository import PasskeyRepository
from services.vault.people.passkeys import Passkeys
from services.vault.people.password_hashes import PasswordHashes
from services.vault.people.repository import AccountRepository
from services.vault.people.request_repository import RequestRepository
from services.vault.people.roster import Roster
from services.vault.people.session_ends import SessionEnds
from services.vault.people.session_repository import SessionRepository
from services.vault.people.sign_in import SignIn
from services.vault.people.staff_mail_repository import StaffMailRepository
from services.vault.people.terminal import TerminalSignIn
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId
from shared.storage import Collection, Store


@dataclass(frozen=True)
class People:
    """Parts behind pages and endpoints."""

    store: Store
    accounts: AccountRepository
    sessions: SessionRepository
    session_ends: SessionEnds
    codes: CodeRepository
    requests: RequestRepository
    duty: DutyCheck
    sign_in: SignIn
    enrolment: Enrolment
    roster: Roster
    passkeys: Passkeys
    terminal: TerminalSignIn
    mails: StaffMailRepository

    @classmethod
    def make(
        cls,
        store: Store,
        keystore: Keystore,
        audit: AuditLog,
        clock: Clock,
        campaigns: Mapping[CampaignId, Campaign],
        hashes: PasswordHashes | None = None,
    ) -> Self:
        """Return the parts, connected; tests give `hashes` of a low cost."""
        accounts, sessions = AccountRepository(store, keystore), SessionRepository(store)
        codes, requests = CodeRepository(store, keystore), RequestRepository(store, keystore)
        duty = DutyCheck(store, accounts, sessions, clock)
        sign_in = SignIn(store, accounts, sessions, duty, audit, hashes or PasswordHashes())
        keys = PasskeyRepository(store)
        mails = StaffMailRepository(store)
        changes = FactorChanges(accounts, duty, mails)
        enrolment = Enrolment(store, accounts, codes, keys, sign_in, changes, audit, campaigns)
        roster = Roster(store, accounts, requests, codes, duty, changes, audit)
        passkeys = Passkeys(store, accounts, keys, sign_in, changes, audit)
        terminal = TerminalSignIn(store, codes, sessions, audit)
        ends = SessionEnds(store, accounts, sessions, duty, audit)
        return cls(
            store,
            accounts,
            sessions,
            ends,
            codes,
            requests,
            duty,
            sign_in,
            enrolment,
            roster,
            passkeys,
            terminal,
            mails,
        )


def collections() -> list[Collection]:
    """Return the collections to prepare."""
    parts = (
        repository, session_repository, code_repository, request_repository, passkey_repository, staff_mail_repository,
    )  # fmt: skip
    return [collection for part in parts for collection in part.collections()]
