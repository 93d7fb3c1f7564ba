"""Certificate of erasure: its members, its verdict, and the check of a certificate from its bytes alone. Pure.

See `docs/protocols.md` §5. A part that was not measured is UNKNOWN. The worst part decides the verdict: FAIL before
UNKNOWN before PENDING before PASS. A certificate holds no personal data, only staff ids, counts and hashes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.canonical import canonical
from shared.contracts import StoreErasure, Verdict
from shared.contracts.closing import DELIVERIES, PARKED, QUEUES
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context

CONTEXT: Final = "kuji/certificate/2"
SOFTWARE: Final = "kuji/0.1.0"
STANDARD: Final = "NIST SP 800-88 r2: Purge (cryptographic erase), with deletion of the ciphertext"
REHEARSAL: Final = "【訓練】"

MEMBERS: Final = frozenset(
    {
        "v", "certificate", "campaign", "contract_title", "requested_by", "approved_by", "responsible", "returned",
        "method", "standard", "software", "started_at", "finished_at", "services", "broker", "logs", "backups",
        "audit_checkpoint", "out_of_scope", "verdict", "key", "signature",
    }
)  # fmt: skip

OUT_OF_SCOPE: Final = (
    "区へ返還した資料（返還パッケージ）及びその写し",
    "送付済みの葉書及び電子メール、申込みに使われた紙（ファクス、葉書、封書）",
    "受信者及び電子メール事業者が保管するもの",
    "監査記録（氏名等を含まず、鍵の廃棄により個人と結び付けられない）",
)
"""Things that this erasure does not reach and that this certificate does not cover."""

_BROKER_STORES: Final = frozenset({QUEUES, PARKED, DELIVERIES, "delay queues"})
_BEST_TO_WORST: Final[tuple[Verdict, ...]] = ("PASS", "PENDING", "UNKNOWN", "FAIL")


@dataclass(frozen=True)
class Approval:
    """Staff ids of the people who requested the erasure, approved it, and are responsible for it (R-S7, R-C6)."""

    requested_by: str
    approved_by: str
    responsible: str


@dataclass(frozen=True)
class ReturnedTo:
    """The return that the ward confirmed: the key to which the package was encrypted, and its SHA-256 (hex)."""

    recipient: str
    sha256: str


@dataclass(frozen=True)
class LogScan:
    """Result of the search of the logs. It is UNKNOWN where no folder was named or one could not be read."""

    folders: int
    files: int
    size: int
    hits: int | None
    result: Verdict


@dataclass(frozen=True)
class Findings:
    """Contents of a certificate.

    `services`: rows by service, the vault's own included. `key_copies_until`: end of the last recorded copy of the key
    folder, None where no copy is recorded. `copies_horizon_days`: the recorded time for which copies are kept.
    """

    certificate_id: str
    campaign: str
    contract_title: str
    rehearsal: bool
    approval: Approval
    returned: ReturnedTo
    key_fingerprint: str
    started_at: datetime
    finished_at: datetime
    services: Mapping[str, Sequence[StoreErasure]]
    logs: LogScan
    copies_horizon_days: int | None
    key_copies_until: datetime | None
    audit_checkpoint: Mapping[str, Any] | None


@dataclass(frozen=True)
class Check:
    """One check of a certificate; `text` says its result in plain words."""

    name: str
    passed: bool
    text: str


def worst(results: Iterable[Verdict]) -> Verdict:
    """Return the worst result: FAIL, then UNKNOWN, then PENDING, then PASS. Without any result it is UNKNOWN."""
    return max(results, key=_BEST_TO_WORST.index, default="UNKNOWN")


def issue(findings: Findings, signing: SigningKey) -> bytes:
    """Return the signed certificate as canonical JSON."""
    rows = [_row(service, store) for service, stores in findings.services.items() for store in stores]
    document: dict[str, Any] = {
        "v": 2,
        "certificate": findings.certificate_id,
        "campaign": findings.campaign,
        "contract_title": (REHEARSAL if findings.rehearsal else "") + findings.contract_title,
        "requested_by": findings.approval.requested_by,
        "approved_by": findings.approval.approved_by,
        "responsible": findings.approval.responsible,
        "returned": {"recipient": findings.returned.recipient, "sha256": findings.returned.sha256},
        "method": {
            "key_destruction": {"fingerprint": findings.key_fingerprint, "algorithm": "AES-256-GCM"},
            "deletion": True,
        },
        "standard": STANDARD,
        "software": SOFTWARE,
        "started_at": findings.started_at.isoformat(),
        "finished_at": findings.finished_at.isoformat(),
        "services": rows,
        "broker": {"result": worst(row["result"] for row in rows if row["store"] in _BROKER_STORES)},
        "logs": _logs(findings.logs),
        "backups": _backups(findings),
        "audit_checkpoint": dict(findings.audit_checkpoint) if findings.audit_checkpoint else None,
        "out_of_scope": list(OUT_OF_SCOPE),
    }
    return canonical(signing.sign_in_context(CONTEXT, document | {"verdict": verdict_of(document)}))


def verdict_of(document: Mapping[str, Any]) -> Verdict:
    """Return the verdict that follows from the parts of a certificate."""
    parts = [*document["services"], document["broker"], document["logs"], document["backups"]]
    return worst(part["result"] for part in parts)


def verdict_of_rows(rows: Iterable[Mapping[str, Any]]) -> Verdict:
    """Return the worst result of rows."""
    return worst(row["result"] for row in rows)


def verify_certificate(content: bytes, public_key: str) -> list[Check]:
    """Check a certificate with nothing but its bytes and the vault's published key (base64url)."""
    try:
        document = json.loads(content)
        return list(_checks(content, document, public_key))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Check("form", False, "the file is not a certificate of erasure")]


def _checks(content: bytes, document: Mapping[str, Any], public_key: str) -> Iterator[Check]:
    members = set(document) == MEMBERS and document["v"] == 2 and document["v"] is not True  # noqa: PLR2004
    yield _check("form", members, "it has exactly the members of version 2", "members are missing or unknown")
    same = canonical(dict(document)) == content.strip()
    yield _check("canonical", same, "it is canonical JSON", "it is not canonical JSON (RFC 8785)")
    signed = verify_in_context(public_key, CONTEXT, document)
    yield _check("signature", signed, "the vault signed it", "the signature does not hold for this key")
    fits = document["verdict"] == verdict_of(document)
    yield _check("verdict", fits, "the verdict follows from the parts", "the verdict does not follow from the parts")
    empty = all(_empty(row) for row in document["services"] if row["result"] == "PASS")
    yield _check("counts", empty, "what passed is empty", "something passed that was not measured or is not empty")
    two = document["requested_by"] not in document["approved_by"].split("+")
    yield _check("two people", two, "asked for and approved by two people", "one person asked and approved")
    ordered = datetime.fromisoformat(document["started_at"]) <= datetime.fromisoformat(document["finished_at"])
    yield _check("times", ordered, "it ended after it began", "it ended before it began")


def _check(name: str, passed: bool, good: str, bad: str) -> Check:  # noqa: FBT001  (the verdict itself)
    return Check(name, passed, good if passed else bad)


def _empty(row: Mapping[str, Any]) -> bool:
    return bool(row["after"] == 0 and row["residue"] == 0)


def _row(service: str, store: StoreErasure) -> JsonObject:
    return {"service": service, **store.model_dump(include={"store", "before", "after", "residue", "result"})}


def _logs(scan: LogScan) -> JsonObject:
    return {
        "folders": scan.folders,
        "files": scan.files,
        "size": scan.size,
        "hits": scan.hits,
        "result": scan.result,
    }


def key_copies_until(ordered_at: datetime, horizon_days: int | None) -> datetime | None:
    """Return when the last recorded copy of the key folder is gone; None where no copy is recorded."""
    return ordered_at + timedelta(days=horizon_days) if horizon_days else None


def _backups(findings: Findings) -> JsonObject:
    """Return the row about copies of the key folder: copies of the database alone can be decrypted by nobody.

    It is PASS where no copy is recorded or all are gone, else PENDING. `horizon` is an ISO 8601 duration.
    """
    horizon = f"P{findings.copies_horizon_days}D" if findings.copies_horizon_days else None
    until = findings.key_copies_until
    return {"horizon": horizon, "result": "PASS" if until is None or findings.finished_at >= until else "PENDING"}
