"""The certificate of erasure: what it says, how its verdict follows, and checking one from its bytes alone. Pure.

`docs/protocols.md` §5. A part that was not measured is UNKNOWN; one UNKNOWN or FAIL decides the verdict. It holds no
personal data: staff ids, counts, hashes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.canonical import canonical
from shared.contracts import StoreErasure, Verdict
from shared.signing import SigningKey, verify_document

SOFTWARE: Final = "kuji/0.1.0"
STANDARD: Final = "NIST SP 800-88 r2: Purge (cryptographic erase), with deletion of the ciphertext"
REHEARSAL: Final = "【訓練】"

MEMBERS: Final = frozenset(
    {
        "v", "certificate", "campaign", "contract_title", "requested_by", "approved_by", "responsible", "method",
        "standard", "software", "started_at", "finished_at", "services", "broker", "logs", "backups",
        "audit_checkpoint", "out_of_scope", "verdict", "signature",
    }
)  # fmt: skip

OUT_OF_SCOPE: Final = (
    "区へ返還した資料（返還パッケージ）及びその写し",
    "送付済みの葉書及び電子メール、申込みに使われた紙（ファクス、葉書、封書）",
    "受信者及び電子メール事業者が保管するもの",
    "監査記録（氏名等を含まず、鍵の廃棄により個人と結び付けられない）",
)
"""What this erasure does not reach and this certificate does not speak of."""


@dataclass(frozen=True)
class Approval:
    """Who asked for the erasure, who approved it, and who answers for it: staff ids (R-S7, R-C6)."""

    requested_by: str
    approved_by: str
    responsible: str


@dataclass(frozen=True)
class LogScan:
    """What the search of the logs saw. `result` is UNKNOWN where no folder was named or one could not be read."""

    folders: int
    files: int
    size: int
    hits: int | None
    result: Verdict


@dataclass(frozen=True)
class Findings:
    """Everything a certificate is made of. `services`: rows per service, the vault's own among them."""

    certificate_id: str
    campaign: str
    contract_title: str
    rehearsal: bool
    approval: Approval
    key_fingerprint: str
    started_at: datetime
    finished_at: datetime
    services: Mapping[str, Sequence[StoreErasure]]
    logs: LogScan
    backup_horizon_days: int | None
    audit_checkpoint: Mapping[str, Any] | None


@dataclass(frozen=True)
class Check:
    """One thing that was checked; `text` says it in plain words, or what is wrong."""

    name: str
    passed: bool
    text: str


def worst(results: Iterable[Verdict]) -> Verdict:
    """FAIL outweighs UNKNOWN, UNKNOWN outweighs PASS; of nothing, nothing is known."""
    seen = set(results)
    if "FAIL" in seen:
        return "FAIL"
    return "PASS" if seen == {"PASS"} else "UNKNOWN"


def issue(findings: Findings, signing: SigningKey) -> bytes:
    """The signed certificate, as canonical JSON."""
    rows = [_row(service, store) for service, stores in findings.services.items() for store in stores]
    document: dict[str, Any] = {
        "v": 1,
        "certificate": findings.certificate_id,
        "campaign": findings.campaign,
        "contract_title": (REHEARSAL if findings.rehearsal else "") + findings.contract_title,
        "requested_by": findings.approval.requested_by,
        "approved_by": findings.approval.approved_by,
        "responsible": findings.approval.responsible,
        "method": {
            "key_destruction": {"fingerprint": findings.key_fingerprint, "algorithm": "AES-256-GCM"},
            "deletion": True,
        },
        "standard": STANDARD,
        "software": SOFTWARE,
        "started_at": findings.started_at.isoformat(),
        "finished_at": findings.finished_at.isoformat(),
        "services": rows,
        "broker": {"result": worst(row["result"] for row in rows if row["store"] == "queues")},
        "logs": _logs(findings.logs),
        "backups": _backups(findings.backup_horizon_days),
        "audit_checkpoint": dict(findings.audit_checkpoint) if findings.audit_checkpoint else None,
        "out_of_scope": list(OUT_OF_SCOPE),
    }
    return canonical(signing.sign_document(document | {"verdict": verdict_of(document)}))


def verdict_of(document: Mapping[str, Any]) -> Verdict:
    """The verdict that the parts of a certificate amount to."""
    parts = [*document["services"], document["broker"], document["logs"], document["backups"]]
    return worst(part["result"] for part in parts)


def not_answered(service: str) -> StoreErasure:
    """The row of a service that did not say in time what became of its data."""
    return StoreErasure(store="all", before=None, after=None, residue=None, result="UNKNOWN", note=f"{service}: silent")


def verify_certificate(content: bytes, public_key: str) -> list[Check]:
    """Check a certificate with nothing but its bytes and the vault's published key (base64url)."""
    try:
        document = json.loads(content)
        return list(_checks(content, document, public_key))
    except (ValueError, KeyError, TypeError, AttributeError):
        return [Check("form", False, "the file is not a certificate of erasure")]


def _checks(content: bytes, document: Mapping[str, Any], public_key: str) -> Iterator[Check]:
    members = set(document) == MEMBERS and document["v"] == 1
    yield _check("form", members, "it has exactly the members of version 1", "members are missing or unknown")
    same = canonical(dict(document)) == content.strip()
    yield _check("canonical", same, "it is canonical JSON", "it is not canonical JSON (RFC 8785)")
    signed = verify_document(public_key, document)
    yield _check("signature", signed, "the vault signed it", "the signature does not hold for this key")
    fits = document["verdict"] == verdict_of(document)
    yield _check("verdict", fits, "the verdict follows from the parts", "the verdict does not follow from the parts")
    empty = all(_empty(row) for row in document["services"] if row["result"] == "PASS")
    yield _check("counts", empty, "what passed is empty", "something passed that was not measured or is not empty")
    two = document["requested_by"] != document["approved_by"]
    yield _check("two people", two, "asked for and approved by two people", "one person asked and approved")
    ordered = datetime.fromisoformat(document["started_at"]) <= datetime.fromisoformat(document["finished_at"])
    yield _check("times", ordered, "it ended after it began", "it ended before it began")


def _check(name: str, passed: bool, good: str, bad: str) -> Check:  # noqa: FBT001  (the verdict itself)
    return Check(name, passed, good if passed else bad)


def _empty(row: Mapping[str, Any]) -> bool:
    return bool(row["after"] == 0 and row["residue"] == 0)


def _row(service: str, store: StoreErasure) -> dict[str, Any]:
    return {"service": service, **store.model_dump(include={"store", "before", "after", "residue", "result"})}


def _logs(scan: LogScan) -> dict[str, Any]:
    return {
        "folders": scan.folders,
        "files": scan.files,
        "size": scan.size,
        "hits": scan.hits,
        "result": scan.result,
    }


def _backups(horizon_days: int | None) -> dict[str, Any]:
    """Backups of the database open for nobody; the horizon (ISO 8601) is that of backups of the key folder."""
    if horizon_days is None:
        return {"horizon": None, "result": "UNKNOWN"}
    return {"horizon": f"P{horizon_days}D", "result": "PASS"}
