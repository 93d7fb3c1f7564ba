"""The vault's applications in memory: what `DuplicateOrder` decides, transaction after transaction."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.matching import COPY, keyed_hashes
from services.vault.applications.review import ReviewDecision, accept_held, reject_held
from services.vault.applications.rules.content import Judged, Verdict, Withdrawal
from services.vault.applications.rules.pairs import Pair, PairDecision, PairVerdict
from services.vault.applications.stored import StoredApplication
from services.vault.applications.verdicts import Arrival, OpenedVersion, take_version
from services.vault.identities.person import Person
from services.vault.identities.repository import StoredIdentity
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.envelope import Sealed
from shared.codes import Code, entry_id, lottery_proof, proof_digest
from shared.contracts import Choice
from shared.ids import ApplicationId, Receipt, Token
from shared.receipts import candidates
from tests.support.duplicate_search import likeness
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER, code_of

KEYS = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
_OPENS = datetime(2018, 5, 15, tzinfo=UTC)


def name(number: int) -> ApplicationId:
    """Return the application id of this number."""
    return ApplicationId(f"00000000-0000-4000-8000-{number:012d}")


class Register:
    """Applications and doubts as the database would have them after each transaction."""

    def __init__(self) -> None:
        self.rows: dict[ApplicationId, StoredApplication] = {}
        self.pairs: dict[frozenset[str], Pair] = {}
        self.published: list[StoredApplication] = []
        self._people: dict[str, Person] = {}
        self._seconds = 0

    def send(self, number: int, content: Person | None, version: int = 1, **changes: Any) -> StoredApplication:
        """Judge one version; `content`: a person, or None for a withdrawal. Return the application after it."""
        order = self.order()
        opened = self._opened(number, content, version, **changes)
        if content is not None and opened.hashes:
            order.add_pairs(self._doubts(opened.hashes[COPY], content))
        take_version(order, CAMPAIGN, opened, {"block": "name"} if opened.hashes else {})
        self._commit(order)
        return self.rows[name(number)]

    def send_batch(self, versions: Sequence[tuple[int, Person | None, int]]) -> None:
        """Judge versions (number, content, version) in one transaction, as the vault does with what waits for it."""
        order = self.order()
        opened = [(self._opened(number, content, version), content) for number, content, version in versions]
        for one, content in opened:
            if content is not None and one.hashes:
                order.add_pairs(self._doubts(one.hashes[COPY], content))
        for one, _ in opened:
            take_version(order, CAMPAIGN, one, {"block": "name"} if one.hashes else {})
        self._commit(order)

    def order(self) -> DuplicateOrder:
        """Return what a transaction loads; here always everything."""
        return DuplicateOrder(self.rows.values(), self.pairs.values())

    def accept(self, number: int) -> None:
        """Accept a held application."""
        order = self.order()
        accept_held(order, name(number), ReviewDecision("accept", "namesake", "desk-1"), _OPENS)
        self._commit(order)

    def reject(self, number: int, reason: str) -> None:
        """Reject a held application."""
        order = self.order()
        reject_held(order, name(number), ReviewDecision("reject", reason, "desk-1"), _OPENS)
        self._commit(order)

    def decide(self, one: int, other: int, verdict: str, stands: int | None = None) -> None:
        """Decide the doubt about two applications; `stands`: of one person, the number that stands."""
        contents = frozenset(self.rows[name(number)].keys[COPY] for number in (one, other))
        content = None if stands is None else self.rows[name(stands)].keys[COPY]
        order = self.order()
        order.decide_pair(contents, PairDecision(PairVerdict(verdict), content, "namesake", "desk-1", _OPENS))
        self._commit(order)

    def undo(self, one: int, other: int) -> None:
        """Take the decision about two applications back."""
        order = self.order()
        order.decide_pair(frozenset(self.rows[name(number)].keys[COPY] for number in (one, other)), None)
        self._commit(order)

    def _doubts(self, content: str, person: Person) -> list[Pair]:
        self._people[content] = person
        return [
            Pair.of(content, other, found, _OPENS)
            for other, known in self._people.items()
            if other != content and (found := likeness(person, known)).is_doubt
        ]

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
            _identity(application_id) if hashes else None,
            hashes,
        )

    def _commit(self, order: DuplicateOrder) -> None:
        """Write what the order says."""
        for row in order.changed:
            earlier = self.rows.get(row.application_id)
            assert row.revision == (earlier.revision + 1 if earlier else 1)
            self.rows[row.application_id] = row
        self.pairs |= {pair.contents: pair for pair in order.changed_pairs}
        self.published = order.changed


def _identity(application_id: ApplicationId) -> StoredIdentity:
    """Return an identity whose ciphertext nobody opens here."""
    token = Token(f"tok_{application_id.replace('-', '')[-26:]}")
    return StoredIdentity(token, CAMPAIGN, application_id, _receipt(1), Sealed(b"", b""), None)


def _receipt(number: int) -> Receipt:
    return next(candidates(bytes(32), "web", name(number)))
