"""Answers of the other services: verified, kept byte for byte, and compared when they are repeated (attack a5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from services.vault.closeout.repository import CloseOutRepository
from shared.contracts import ErasureCompleted
from shared.erasure import ANSWER_CONTEXT, signed_document
from shared.logging import get_logger
from shared.storage import UnitOfWork

_log = get_logger(__name__)


class AnswerKeys(Protocol):
    """Public keys of all services."""

    def verify_document(self, context: str, document: Mapping[str, Any], service: str) -> bool:
        """Return True if a valid key of `service` signed the document in this context."""


@dataclass(frozen=True)
class ErasureAnswers:
    """Handle `erasure.completed`."""

    repository: CloseOutRepository
    keys: AnswerKeys

    async def on_completed(self, events: Sequence[ErasureCompleted], uow: UnitOfWork) -> None:
        """Keep each answer that its own service signed.

        An answer to another order is ignored. A repeated answer changes nothing; a different one for the same phase is
        recorded and makes the certificate FAIL.
        """
        for event in events:
            if not self.keys.verify_document(ANSWER_CONTEXT, signed_document(event), event.service):
                _log.error("erasure-answer-refused", campaign=event.campaign, service=event.service, state=event.phase)
                continue
            record = await self.repository.find(event.campaign, uow=uow)
            if record.order is None or record.order.erasure_id != event.erasure_id:
                continue
            kept = record.answer(event.service, event.phase)
            if kept is None:
                await self.repository.put_answer(event, uow)
            elif kept != event:
                await self.repository.contradict(event, uow)
                _log.error("erasure-answer-differs", campaign=event.campaign, service=event.service, state=event.phase)
