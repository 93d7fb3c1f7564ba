"""Application of an invented person, with the verdict that the rules give it. Pure."""

import json
from dataclasses import dataclass, field
from typing import Literal

from shared.codes import Code
from shared.contracts import Channel
from shared.ids import ApplicationId, ClassId
from shared.json_types import JsonObject

Mailbox = Literal["none", "takes", "refuses", "defers"]
Fault = Literal["", "purpose-version", "unknown-member", "age-and-grade", "paper-mail", "not-json"]


@dataclass(frozen=True)
class Expected:
    """Verdict by the rules. `asked`: classes in order; `refused`: those of them the rules deny.

    A second application of the same person is `superseded` if it is an exact copy, and `held` otherwise.
    """

    status: Literal["accepted", "rejected", "held", "superseded", "withdrawn"]
    asked: tuple[ClassId, ...]
    reasons: frozenset[str] = frozenset()
    refused: frozenset[ClassId] = frozenset()

    @property
    def own_status(self) -> Literal["complete", "rejected", "withdrawn"]:
        """Status that the applicant reads: another application of the same person makes no difference."""
        if self.status in {"rejected", "withdrawn"}:
            return "rejected" if self.status == "rejected" else "withdrawn"
        return "complete"

    @property
    def own_reasons(self) -> frozenset[str]:
        """Reasons that the applicant reads."""
        return self.reasons if self.status == "rejected" else frozenset()

    @property
    def readable(self) -> bool:
        """True if the applicant can be notified: the form is well-formed and of the current purpose of use (R-D3)."""
        return not self.reasons & {"malformed", "purpose-version"}


@dataclass(frozen=True)
class DemoApplication:
    """Application of one person; `plaintext` is sealed. `twin`: the earlier application of the same person.

    `code`: None after a handler keyed it from paper, when the vault has made another id and code. `later`: contents of
    the versions after the first, corrections or a withdrawal.
    """

    application_id: ApplicationId
    channel: Channel
    code: Code | None = field(repr=False)
    plaintext: bytes = field(repr=False)
    expected: Expected
    mailbox: Mailbox
    phone: str = field(repr=False)
    twin: ApplicationId | None = None
    later: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def form(self) -> JsonObject:
        """Content without the code, as a handler keys it from the paper."""
        content: JsonObject = json.loads(self.plaintext)
        return {name: value for name, value in content.items() if name != "code"}


def encode(content: JsonObject, fault: Fault) -> bytes:
    """JSON, with the mistake of a faulty program where one is asked for."""
    if fault == "purpose-version":
        content["purpose_version"] = "2017-12"
    elif fault == "unknown-member":
        content["remarks"] = "-"
    elif fault == "age-and-grade":
        content["applicant"] |= {"age": 9, "grade": "p3"}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return (text[:-1] if fault == "not-json" else text).encode("utf-8")
