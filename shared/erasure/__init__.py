"""Erasure as every service does it: tombstone, deletion, counts, signed answers (docs/protocols.md §5).

Intake, lottery and notifier each run one `ErasureParticipant` over their own stores. The vault, which asks for the
answers, measures itself with the same functions.
"""

from shared.erasure.counting import (
    Queues,
    count_own_records,
    delete_own_records,
    judge_messages,
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
from shared.erasure.records import ERASURES, ErasureRecord, ErasureRepository, collections

__all__ = [
    "ANSWER_CONTEXT",
    "ERASURES",
    "CampaignStores",
    "DocumentSigner",
    "ErasureParticipant",
    "ErasureRecord",
    "ErasureRepository",
    "Queues",
    "collections",
    "count_own_records",
    "delete_own_records",
    "judge_messages",
    "judge_store",
    "refuse_erased_ids",
    "signed_document",
]
