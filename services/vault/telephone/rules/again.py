"""Decide whether a notice may be asked for once more. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, Self

from services.vault.deliveries.rules.delivery import SLOTS
from services.vault.telephone.rules.acts import DeskAct
from shared.contracts import NoticeChannel

MAIL_ONLY: Final = frozenset({"acknowledgement", "same-person"})
"""Kinds after whose mail no card goes (ADR 30, ADR 42)."""

_KEY: Final = re.compile(r"([a-z][a-z-]{1,40})\.([0-9]{1,12})")

Against = Literal["not-sent", "no-mail-address", "mail-only", "twice"]


class Sent(Protocol):
    """Notice that the vault sent or printed."""

    @property
    def kind(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def channel(self) -> NoticeChannel: ...
    @property
    def holds_slot(self) -> bool: ...


@dataclass(frozen=True)
class NoticeKey:
    """Kind and number of a notice; with the applicant's token it is unique at the notifier."""

    kind: str
    n: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read `kind.n`; None for any other text."""
        found = _KEY.fullmatch(text)
        return None if found is None else cls(found[1], int(found[2]))

    @staticmethod
    def way_of(act: DeskAct) -> NoticeChannel:
        """Return the channel that an act asks for."""
        return "mail" if act is DeskAct.MAIL else "card"


def keys_of(sent: Sequence[Sent]) -> list[NoticeKey]:
    """Return each notice once, in order."""
    return list(dict.fromkeys(NoticeKey(one.kind, one.n) for one in sent))


def reason_against(notice: NoticeKey, way: NoticeChannel, contact: str | None, sent: Sequence[Sent]) -> Against | None:
    """Return why the notice cannot be asked for; None if it can.

    `contact`: channel of the applicant. Two mails and two cards of one notice go at most (docs/protocols.md §3).
    """
    own = [one for one in sent if (one.kind, one.n) == (notice.kind, notice.n)]
    if not own:
        return "not-sent"
    if way == "mail" and contact != "mail":
        return "no-mail-address"
    if way == "card" and notice.kind in MAIL_ONLY:
        return "mail-only"
    return "twice" if sum(one.channel == way and one.holds_slot for one in own) >= SLOTS else None
