"""The vault's applications in memory: what `DuplicateOrder` decides, transaction after transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.matching import keyed_hashes
from services.vault.applications.rules.content import Judged, Verdict, Withdrawal
from services.vault.applications.stored import StoredApplication
from services.vault.applications.verdicts import Arrival, OpenedVersion, take_version
from services.vault.identities.person import Person
from services.vault.keys.campaign_keys import CampaignKeys
from shared.codes import Code, entry_id, lottery_proof, proof_digest
from shared.contracts import Choice
from shared.ids import ApplicationId, Receipt, Token
from shared.receipts import candidates
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER, code_of

KEYS = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
_OPENS = datetime(2018, 5, 15, tzinfo=UTC)


def name(number: int) -> ApplicationId:
    """Return the application id of this number."""
    return ApplicationId(f"00000000-0000-4000-8000-{number:012d}")


class Register:
    """Applications and owners of keys as the database would have them after each transaction."""

    def __init__(self) -> None:
        self.rows: dict[ApplicationId, StoredApplication] = {}
        self.owners: dict[str, ApplicationId] = {}
        self.published: list[StoredApplication] = []
        self._seconds = 0

    def send(self, number: int, content: Person | None, version: int = 1, **changes: Any) -> StoredApplication:
        """Judge one version; `content`: a person, or None for a withdrawal. Return the application after it."""
        order = DuplicateOrder(self.rows.values(), self.owners)
        take_version(order, CAMPAIGN, self._opened(number, content, version, **changes))
        self._commit(order)
        return self.rows[name(number)]

    def accept(self, number: int) -> None:
        """Accept a held application."""
        order = DuplicateOrder(self.rows.values(), self.owners)
        order.accept(name(number), "desk-1")
        self._commit(order)

    def reject(self, number: int, reason: str) -> None:
        """Reject a held application."""
        order = DuplicateOrder(self.rows.values(), self.owners)
        order.reject(name(number), reason, "desk-1")
        self._commit(order)

    def states(self, *numbers: int) -> list[str]:
        """Return the states of these applications."""
        return [self.rows[name(number)].state.value for number in numbers]

    def statuses(self, *numbers: int) -> list[str]:
        """Return what these applicants read."""
        return [self.rows[name(number)].own_status for number in numbers]

    def _opened(
        self,
        number: int,
        content: Person | None,
        version: int,
        *,
        code: Code | None = None,
        seats: int = 1,
        doubts: tuple[str, ...] = (),
        verdict: Verdict | None = None,
    ) -> OpenedVersion:
        self._seconds += 1
        application_id = name(number)
        code = code or code_of(application_id)
        entry = entry_id(CAMPAIGN, application_id, code)
        choices = (Choice.model_validate({"class_id": "adult-running", "seats": seats}),)
        judged = Withdrawal(code) if content is None else Judged(content, choices, (), doubts=doubts, code=code)
        hashes: Mapping[str, str] = {} if content is None or verdict else keyed_hashes(KEYS, content)
        return OpenedVersion(
            Arrival(application_id, _receipt(number), version, "web", _OPENS + timedelta(seconds=self._seconds)),
            verdict or judged,
            entry if (verdict or judged).code else None,
            proof_digest(lottery_proof(CAMPAIGN, entry, code)) if (verdict or judged).code else None,
            None,
            hashes,
        )

    def _commit(self, order: DuplicateOrder) -> None:
        """Write what the order says, and check that the stored owners stay consistent."""
        for value in order.removed_hashes:
            del self.owners[value]
        for value, (_, owner) in order.new_owners.items():
            assert value not in self.owners, "a unique id would refuse this"
            self.owners[value] = owner
        for row in order.changed:
            earlier = self.rows.get(row.application_id)
            assert row.revision == (earlier.revision + 1 if earlier else 1)
            token = Token(f"tok_{row.application_id.replace('-', '')[-26:]}")
            self.rows[row.application_id] = replace(row, token=token)
        self.published = order.changed


def _receipt(number: int) -> Receipt:
    return next(candidates(bytes(32), "web", name(number)))
