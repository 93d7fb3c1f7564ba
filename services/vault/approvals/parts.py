"""The parts of approvals, made once for a vault process."""

from dataclasses import dataclass
from typing import Self

from services.vault.approvals import repository
from services.vault.approvals.factors import FactorCheck
from services.vault.approvals.gate import VaultApprovalGate
from services.vault.approvals.repository import ApprovalRepository
from services.vault.approvals.service import Approvals
from services.vault.approvals.subjects import Subjects
from services.vault.audit import AuditLog
from services.vault.people.parts import People
from services.vault.people.rules.account import Account
from shared.signing import SigningKey
from shared.storage import Store

collections = repository.collections
"""Return the collections to prepare."""


def make_gate(store: Store, audit: AuditLog, signing: SigningKey) -> VaultApprovalGate:
    """Return the gate, which the vault's acts need before people are known."""
    return VaultApprovalGate(ApprovalRepository(store), audit, signing)


@dataclass(frozen=True)
class ApprovalParts:
    """Parts behind pages and endpoints."""

    approvals: Approvals

    @classmethod
    def make(cls, store: Store, people: People, audit: AuditLog, gate: VaultApprovalGate, subjects: Subjects) -> Self:
        """Return the parts, connected."""
        kept = ApprovalRepository(store)
        factors = FactorCheck(kept, people.passkeys, people.sign_in)
        return cls(Approvals(store, kept, factors, people.accounts, people.duty, people.mails, audit, gate, subjects))

    async def count_waiting(self, person: Account) -> int:
        """Return the number of approvals that wait for this person."""
        return len(await self.approvals.waiting_for(person))
