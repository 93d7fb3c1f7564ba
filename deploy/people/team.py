"""Signed-in people of an installation, for programs that play all of them."""

import asyncio
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from deploy.people.approvals import ApprovalRequest, draft, hand_out, sign
from deploy.people.browser import ServiceAddress
from deploy.people.enrolment import SignedInPerson, enrol_all, sign_in
from deploy.people.invented import InventedAccount
from shared.json_types import JsonObject


class Team:
    """Each person signs in once, and at a service when the first call needs it."""

    def __init__(self, services: Mapping[str, ServiceAddress], people: Iterable[SignedInPerson]) -> None:
        self._services = services
        self._people = {person.account.id: person for person in people}
        self._locks = {person: threading.Lock() for person in self._people}

    @classmethod
    def enrol(
        cls, services: Mapping[str, ServiceAddress], setup_token_file: Path, accounts: Sequence[InventedAccount]
    ) -> Self:
        """Make the accounts and sign them in. Raises EnrolmentError."""
        return cls(services, enrol_all(services, setup_token_file.read_text("utf-8").strip(), accounts))

    @classmethod
    def sign_in(cls, services: Mapping[str, ServiceAddress], accounts: Iterable[InventedAccount]) -> Self:
        """Sign in with accounts that were made before. Raises EnrolmentError."""
        return cls(services, [sign_in(services, account) for account in accounts])

    @property
    def accounts(self) -> list[InventedAccount]:
        """Accounts with the secrets of their enrolment."""
        return [person.account for person in self._people.values()]

    async def headers(self, person: str, service: str) -> dict[str, str]:
        """Return the headers with which a program is this person at the service. Raises SignInOverError."""
        browser = self._people[person].browser
        if browser.has_session(service):
            return browser.headers(service)
        return await asyncio.to_thread(self._pass_on, person, service)

    async def sign_in_again(self, person: str) -> None:
        """Start a new session of a person whose old one is over."""
        again = await asyncio.to_thread(sign_in, self._services, self._people[person].account)
        self._people[person] = replace(again, passkey=self._people[person].passkey)

    async def approval(self, request: ApprovalRequest, requester: str, approvers: Iterable[str]) -> str:
        """Return the number of an approval that these people requested and signed. Raises ApprovalNotGivenError."""
        approval = await asyncio.to_thread(draft, self._people[requester], request)
        for person in (requester, *approvers):
            await asyncio.to_thread(sign, self._people[person], approval)
        return approval

    async def executed(self, approval: str, requester: str) -> JsonObject:
        """Return the executed document for another service. Raises ApprovalNotGivenError."""
        return await asyncio.to_thread(hand_out, self._people[requester], approval)

    def _pass_on(self, person: str, service: str) -> dict[str, str]:
        with self._locks[person]:
            return self._people[person].browser.headers(service)
