"""Keep the register of people's requests about their own data; the ward's account alone decides (protocols §8)."""

from dataclasses import dataclass
from typing import Final

from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.subject_request import (
    DECISIONS,
    TRANSITIONS,
    IdentityCheck,
    RefusalReason,
    RequestKind,
    RequestState,
    due_at,
)
from services.vault.applications.subject_request_repository import (
    Step,
    SubjectRequest,
    SubjectRequestRepository,
    new_request_id,
)
from services.vault.audit import AuditEvent, AuditLog
from services.vault.keys.keystore import Keystore
from services.vault.people.rules.account import Account
from services.vault.person_erasure.repository import PersonErasureRepository
from services.vault.telephone.changes import ChangeRefusedError
from shared.clock import Clock
from shared.ids import ApplicationId
from shared.staff_roles import Right, may
from shared.storage import Store

PURPOSE: Final = "subject-request"


@dataclass(frozen=True)
class NextStep:
    """State that a person wants a request to have; `reason`: of a refusal."""

    state: RequestState
    reason: RefusalReason | None = None


class SubjectRequests:
    """Record requests and their steps; each is one audit line before it is written."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, clock: Clock) -> None:
        self._applications, self.register = ApplicationRepository(store), SubjectRequestRepository(store)
        self._keystore, self._audit, self._clock = keystore, audit, clock
        self._erasures = PersonErasureRepository(store)

    async def record(
        self, account: Account, application_id: ApplicationId, kind: RequestKind, identity: IdentityCheck
    ) -> None:
        """Record that a person asked, and how the person was identified. Raises ChangeRefusedError."""
        application = await self._applications.find(application_id)
        if application is None:
            raise ChangeRefusedError("unknown")
        now = self._clock.now()
        request = SubjectRequest(
            id=new_request_id(),
            campaign=application.campaign,
            application_id=application_id,
            receipt=application.receipt,
            kind=kind,
            identity=identity,
            state=RequestState.RECEIVED,
            due=due_at(now),
            steps=(Step(RequestState.RECEIVED, account.id, now),),
        )
        await self._line(account, request, RequestState.RECEIVED, identity.value)
        await self.register.insert(request)

    async def advance(self, account: Account, request_id: str, following: NextStep) -> None:
        """Bring a request to its next state. Raises ChangeRefusedError: `no-right`, `unknown`, `too-late`, `reason`."""
        needed = Right.DECIDE_SUBJECT_REQUESTS if following.state in DECISIONS else Right.OPEN_PEOPLE
        if not may(account.roles, needed):
            raise ChangeRefusedError("no-right")
        request = await self.register.find(request_id)
        if request is None:
            raise ChangeRefusedError("unknown")
        if not TRANSITIONS.allows(request.state, following.state):
            raise ChangeRefusedError("too-late")
        is_erased = request.kind is RequestKind.ERASURE and following.state is RequestState.DONE
        if is_erased and (request.application_id or await self._erasures.of_request(request_id) is not None):
            raise ChangeRefusedError("erasure-first")  # the certificate brings it there
        if (following.state is RequestState.REFUSED) != (following.reason is not None):
            raise ChangeRefusedError("reason")
        reason = None if following.reason is None else following.reason.value
        await self._line(account, request, following.state, reason or request.kind.value)
        if not await self.register.advance(request_id, Step(following.state, account.id, self._clock.now(), reason)):
            raise ChangeRefusedError("too-late")

    async def _line(self, account: Account, request: SubjectRequest, state: RequestState, outcome: str) -> None:
        keys, application = self._keystore.campaign(request.campaign), request.application_id
        subject = keys.subject_of(application) if application else None  # None: the person was erased
        role = "+".join(sorted(account.roles))
        action = f"request-{request.kind}:{state}"
        await self._audit.record([AuditEvent(account.id, role, action, PURPOSE, request.campaign, subject, outcome)])
