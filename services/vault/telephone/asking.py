"""Ask the notifier to send a notice once more, by mail or as a card; it decides when (docs/protocols.md §3)."""

from services.vault.applications.act_repository import ActRepository, ApplicationAct
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.stored import StoredApplication
from services.vault.audit import AuditLog
from services.vault.deliveries.repository import DeliveredNotice, DeliveryRepository
from services.vault.keys.keystore import Keystore
from services.vault.telephone.changes import ChangeRefusedError
from services.vault.telephone.rules.acts import ActReason, DeskAct
from services.vault.telephone.rules.again import NoticeKey, reason_against
from services.vault.telephone.search import Caller
from shared.clock import Clock
from shared.contracts import AskedNotice, NoticesAsked
from shared.ids import ApplicationId, Token
from shared.storage import Store, UnitOfWork


class NoticeRequests:
    """Publish `notices.asked` after an audit line with the reason."""

    def __init__(self, store: Store, keystore: Keystore, audit: AuditLog, clock: Clock) -> None:
        self._store, self._keystore, self._audit, self._clock = store, keystore, audit, clock
        self._applications, self._deliveries = ApplicationRepository(store), DeliveryRepository(store)
        self._acts = ActRepository(store)

    async def ask(
        self, caller: Caller, application_id: ApplicationId, notice: NoticeKey, act: DeskAct, reason: ActReason
    ) -> None:
        """Ask for one notice. Raises ChangeRefusedError, VaultLockedError, NotRecordedError."""
        application = await self._applications.find(application_id)
        if application is None or application.token is None:
            raise ChangeRefusedError("unknown")
        token, way = application.token, notice.way_of(act)
        if (against := reason_against(notice, way, application.contact, await self._sent(token))) is not None:
            raise ChangeRefusedError(against)
        subject = self._keystore.campaign(application.campaign).subject_of(application_id)
        event = caller.event(f"{act}-{notice.kind}:{caller.purpose}", application.campaign, subject, reason.value)
        await self._audit.record([event])
        asked = AskedNotice(token=token, kind=notice.kind, n=notice.n, way=way, sub=caller.account.id)
        row = self._row(caller, application, notice, act, reason)

        async def write(uow: UnitOfWork) -> None:
            await self._acts.insert(row, uow)
            await uow.emit(NoticesAsked(campaign=application.campaign, items=(asked,)))

        await self._store.transact(write)

    async def _sent(self, token: Token) -> list[DeliveredNotice]:
        return [one for one in await self._deliveries.of_applicant(token) if not one.bulk]

    def _row(
        self, caller: Caller, application: StoredApplication, notice: NoticeKey, act: DeskAct, reason: ActReason
    ) -> ApplicationAct:
        campaign, own, now = application.campaign, application.application_id, self._clock.now()
        return ApplicationAct(campaign, own, act.value, reason.value, caller.account.id, now, notice.kind)
