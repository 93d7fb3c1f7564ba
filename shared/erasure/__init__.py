"""Erasure as every service does it: tombstone, deletion, counts, signed answers (docs/protocols.md §5).

Intake, lottery and notifier each run one `ErasureParticipant` over their own stores. The vault, which asks for the
answers, measures itself with the same functions.
"""

from shared.contracts.closing import PERSON_ERASURES
from shared.erasure.counting import (
    Queues,
    count_own_records,
    delete_own_records,
    judge_messages,
    judge_parked,
    judge_store,
)
from shared.erasure.participant import (
    ANSWER_CONTEXT,
    CampaignStores,
    DocumentSigner,
    ErasureParticipant,
    refuse_erased_ids,
    signed_document,
)
from shared.erasure.people import (
    OLDEST_TRANSACTION_S,
    PERSON_ANSWER_CONTEXT,
    KnownNames,
    PersonErasures,
    PersonStores,
    answer_document,
    has_aged,
    have_handlers_ended,
)
from shared.erasure.person_records import NOBODY, person_collections
from shared.erasure.records import ERASURES, ErasureRecord, ErasureRepository, collections

__all__ = [
    "ANSWER_CONTEXT",
    "ERASURES",
    "NOBODY",
    "OLDEST_TRANSACTION_S",
    "PERSON_ANSWER_CONTEXT",
    "PERSON_ERASURES",
    "CampaignStores",
    "DocumentSigner",
    "ErasureParticipant",
    "ErasureRecord",
    "ErasureRepository",
    "KnownNames",
    "PersonErasures",
    "PersonStores",
    "Queues",
    "answer_document",
    "collections",
    "count_own_records",
    "delete_own_records",
    "has_aged",
    "have_handlers_ended",
    "judge_messages",
    "judge_parked",
    "judge_store",
    "person_collections",
    "refuse_erased_ids",
    "signed_document",
]
