"""Record of one campaign's close-out, as frozen values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from services.vault.closeout.rules.certificate import Approval, LogScan
from services.vault.closeout.rules.stages import Stage
from shared.contracts import ErasureCompleted, ErasurePhase, StoreErasure

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """An ordered erasure. `at`: on the campaign's clock; `wall`: on the machine's clock, for limits of time."""

    erasure_id: str
    approval: Approval
    at: datetime
    wall: datetime

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Return the order as the database has it."""
        approval = Approval(document["requested_by"], document["approved_by"], document["responsible"])
        return cls(document["id"], approval, document["at"], document["wall"])


@dataclass(frozen=True)
class Package:
    """The return package that counts: its id, SHA-256 (hex) and the person who requested it.

    `code`: hash of the code that stands inside it. `recipient`: the key to which it was encrypted.
    """

    package_id: str
    sha256: str
    requested_by: str
    code: str
    recipient: str

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Return the package as the database has it."""
        return cls(
            document["id"], document["sha256"], document["requested_by"], document["code"], document["recipient"]
        )


@dataclass(frozen=True)
class Sample:
    """An identity as it was stored, encrypted: tried again once the key is destroyed."""

    token: str
    wrapped_key: bytes
    ciphertext: bytes

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Return the sample as the database has it."""
        return cls(document["token"], bytes(document["wrapped_key"]), bytes(document["ciphertext"]))


@dataclass(frozen=True)
class CloseOutRecord:
    """One campaign's close-out. Members are empty or None until their stage is reached.

    `answers`: by service and phase. `contradicted`: services that gave two different answers for one phase.
    `silenced_at`: T, when the last tombstone was confirmed; None if one is missing. `seen_empty`: delay queues that
    were seen empty late enough, None before the first look; `drained`: None while that is awaited. Times are on the
    machine's clock.
    """

    stage: Stage
    order: Order | None = None
    package: Package | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    logs: LogScan | None = None
    fingerprint: str = ""
    discarded: int = 0
    answers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()
    silenced_at: datetime | None = None
    seen_empty: frozenset[str] | None = None
    drained: bool | None = None
    drained_at: datetime | None = None
    rows: tuple[StoreErasure, ...] = ()
    finished_at: datetime | None = None
    certificate: bytes | None = None
    page: bytes | None = None

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Return the close-out that the database's document describes."""
        logs, order, package = document.get("logs"), document.get("order"), document.get("package")
        return cls(
            stage=Stage(document["stage"]),
            order=Order.from_document(order) if order else None,
            package=Package.from_document(package) if package else None,
            before=document.get("before", {}),
            samples=tuple(Sample.from_document(sample) for sample in document.get("samples", ())),
            logs=LogScan(**logs) if logs else None,
            fingerprint=document.get("fingerprint", ""),
            discarded=document.get("discarded", 0),
            answers=document.get("answers", {}),
            contradicted=frozenset(document.get("contradicted", ())),
            silenced_at=document.get("silenced_at"),
            seen_empty=frozenset(document["seen_empty"]) if "seen_empty" in document else None,
            drained=document.get("drained"),
            drained_at=document.get("drained_at"),
            rows=tuple(StoreErasure(**row) for row in document.get("rows", ())),
            finished_at=document.get("finished_at"),
            certificate=document.get("certificate"),
            page=document.get("page"),
        )

    def answer(self, service: str, phase: ErasurePhase) -> ErasureCompleted | None:
        """Return the service's answer for the phase, or None."""
        text = self.answers.get(service, {}).get(phase)
        return None if text is None else ErasureCompleted.model_validate_json(text)

    def answered(self, phase: ErasurePhase) -> frozenset[str]:
        """Return the services that answered for the phase."""
        return frozenset(service for service, answers in self.answers.items() if phase in answers)
