"""Certificate of the erasure of one person: its members, its verdict, and the check from its bytes alone. Pure.

It names the person by the receipt number only. The worst row decides the verdict, as in the certificate of a campaign.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.vault.closeout.rules.certificate import REHEARSAL, SOFTWARE, Check, verdict_of_rows
from shared.canonical import canonical
from shared.contracts import StoreErasure, Verdict
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context

CONTEXT: Final = "kuji/person-certificate/2"
KIND: Final = "person"

MEMBERS: Final = frozenset(
    {
        "v", "kind", "certificate", "campaign", "contract_title", "receipt", "request", "decided_by", "carried_out_by",
        "started_at", "finished_at", "services", "audit_checkpoint", "out_of_scope", "verdict", "key", "signature",
    }
)  # fmt: skip

OUT_OF_SCOPE: Final = (
    "公開された抽選の名簿（番号だけで、だれのものか結び付けられない）",
    "送付済みの葉書及び電子メール、申込みに使われた紙（ファクス、葉書、封書）",
    "この消去より前に作られたデータベースの写し（戻すときに再び消去する。募集の鍵を廃棄すると読めなくなる）",
    "監査記録（氏名等を含まない）",
)

REQUIRED: Final[Mapping[str, frozenset[str]]] = {
    "intake": frozenset({"applications", "versions", "papers", "parked"}),
    "lottery": frozenset({"entries", "outcomes", "places", "scans", "parked"}),
    "notifier": frozenset({"contacts", "slips", "notices", "parked"}),
    "vault": frozenset(
        {
            "identities", "applications", "application_acts", "subject_requests", "blind_index", "doubts", "drafts",
            "keyings", "papers", "print_chunks", "notice_deliveries", "left_out", "slips", "parked",
        }
    ),
}  # fmt: skip
"""Stores that each service must answer for (tests/contract/test_erasure_stores.py)."""


@dataclass(frozen=True)
class PersonFindings:
    """Contents of a certificate. `decided_by`: the ward's account; `carried_out_by`: the handler's."""

    certificate_id: str
    campaign: str
    contract_title: str
    rehearsal: bool
    receipt: str
    request: str
    decided_by: str
    carried_out_by: str
    started_at: datetime
    finished_at: datetime
    services: Mapping[str, Sequence[StoreErasure]]
    audit_checkpoint: Mapping[str, Any] | None


def issue(findings: PersonFindings, signing: SigningKey) -> bytes:
    """Return the signed certificate as canonical JSON."""
    rows = [_row(service, row) for service, stores in findings.services.items() for row in stores]
    document: JsonObject = {
        "v": 2,
        "kind": KIND,
        "certificate": findings.certificate_id,
        "campaign": findings.campaign,
        "contract_title": (REHEARSAL if findings.rehearsal else "") + findings.contract_title,
        "receipt": findings.receipt,
        "request": findings.request,
        "decided_by": findings.decided_by,
        "carried_out_by": findings.carried_out_by,
        "started_at": findings.started_at.isoformat(),
        "finished_at": findings.finished_at.isoformat(),
        "services": rows,
        "audit_checkpoint": dict(findings.audit_checkpoint) if findings.audit_checkpoint else None,
        "out_of_scope": [*OUT_OF_SCOPE, f"software: {SOFTWARE}"],
        "verdict": verdict_of_rows(rows),
    }
    return canonical(signing.sign_in_context(CONTEXT, document))


def verdict_of(services: Mapping[str, Sequence[StoreErasure]]) -> Verdict:
    """Return the verdict of a certificate with these rows."""
    return verdict_of_rows([_row(service, row) for service, stores in services.items() for row in stores])


def verify_person_certificate(content: bytes, public_key: str) -> list[Check]:
    """Check a certificate with nothing but its bytes and the vault's published key (base64url)."""
    try:
        return list(_checks(content, json.loads(content), public_key))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Check("form", passed=False, text="the file is not a certificate of erasure")]


def complete_rows(service: str, rows: Sequence[StoreErasure], *, contradicted: bool = False) -> list[StoreErasure]:
    """Return the rows, judged by their own counts; UNKNOWN for a store left out, FAIL for two different answers."""
    missing = sorted(REQUIRED[service] - {row.store for row in rows})
    return [
        *([_note("answer", "FAIL", "two different answers")] if contradicted else []),
        *(row if row.result != "PASS" or row.after == row.residue == 0 else _failed(row) for row in rows),
        *(_note(store, "UNKNOWN", "not answered for") for store in missing),
    ]


def _checks(content: bytes, document: Mapping[str, Any], public_key: str) -> Iterator[Check]:
    form = set(document) == MEMBERS and document["kind"] == KIND
    yield _check("form", form, "it has exactly the members of version 2", "members are missing or unknown")
    same = canonical(dict(document)) == content.strip()
    yield _check("canonical", same, "it is canonical JSON", "it is not canonical JSON (RFC 8785)")
    signed = verify_in_context(public_key, CONTEXT, document)
    yield _check("signature", signed, "the vault signed it", "the signature does not hold for this key")
    fits = document["verdict"] == verdict_of_rows(document["services"])
    yield _check("verdict", fits, "the verdict follows from the parts", "the verdict does not follow from the parts")
    answered = {(row["service"], row["store"]) for row in document["services"]}
    whole = all((service, store) in answered for service, stores in REQUIRED.items() for store in stores)
    yield _check("stores", whole, "every store is answered for", "a store is missing")
    two = document["decided_by"] != document["carried_out_by"]
    yield _check("two people", two, "decided and carried out by two people", "one person decided and carried out")


def _check(name: str, passed: bool, good: str, bad: str) -> Check:  # noqa: FBT001  (the verdict itself)
    return Check(name, passed, good if passed else bad)


def _row(service: str, row: StoreErasure) -> JsonObject:
    return {"service": service, **row.model_dump(include={"store", "before", "after", "residue", "result", "note"})}


def _failed(row: StoreErasure) -> StoreErasure:
    return row.model_copy(update={"result": "FAIL" if row.after or row.residue else "UNKNOWN"})


def _note(store: str, result: str, note: str) -> StoreErasure:
    return StoreErasure.model_validate(
        {"store": store, "before": None, "after": None, "residue": None, "result": result, "note": note}
    )
