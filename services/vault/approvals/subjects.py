"""Subjects of the vault's own kinds: parameters as they are now, and previews with invented people."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.approvals import ApprovalKind
from shared.ids import CampaignId
from shared.json_types import JsonObject

CurrentParams = Callable[[CampaignId | None, JsonObject], Awaitable[JsonObject]]
"""Takes the requester's choice; returns the parameters with hashes and counts of this moment."""


@dataclass(frozen=True)
class PreviewText:
    """Text for an invented applicant."""

    title: str
    subject: str
    text: str


Preview = Callable[[CampaignId, JsonObject], Awaitable[Sequence[PreviewText]]]


@dataclass(frozen=True)
class Subjects:
    """Functions by kind. A kind of another service has none: its page names the parameters, and it compares them."""

    params: Mapping[ApprovalKind, CurrentParams] = field(default_factory=dict)
    previews: Mapping[ApprovalKind, Preview] = field(default_factory=dict)
