"""Made-up notices of each kind, with every outcome and reason, to check and to preview templates. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.vault.notices.rules.kinds import CHANGES_PER_DRAW, KINDS, Kind
from services.vault.notices.rules.reasons import REASONS
from services.vault.notices.rules.registered import Registered
from services.vault.notices.rules.texts import NoticeTexts
from shared.campaign import Campaign, EventClass
from shared.contracts import FURTHER_ROUND, Choice, NoticeChannel, NoticeDocument, OutcomeSlip, Refusal, SlipOutcome
from shared.contracts.notices import NoticeParams
from shared.ids import DrawId, Receipt, Token

SAMPLE_NAME: Final = "見本　太郎"
SAMPLE_RECEIPT: Final = Receipt("W-7K3M-9Q2P-6")
_TOKEN: Final = Token("tok_" + "0" * 26)

_OUTCOMES: Final = (
    ("won", None), ("waiting", None), ("offered", None), ("lost", "drawn"), ("lost", "group"), ("lost", "clash"),
    ("lost", "limit"), ("won", FURTHER_ROUND), ("refused", "grade"), ("gone", "withdrawn"), ("gone", "declined"),
    ("gone", "expired"), ("gone", "released"),
)  # fmt: skip


@dataclass(frozen=True)
class SampleNotice:
    """Notice of a made-up applicant. `receipt` is None for announcements."""

    title: str
    document: NoticeDocument
    slip: OutcomeSlip | None
    registered: Registered | None
    now: datetime

    @property
    def receipt(self) -> Receipt | None:
        return self.registered.receipt if self.registered else None

    def render(self, texts: NoticeTexts) -> tuple[str, str]:
        """Return subject (empty for a card) and text."""
        if self.document.channel == "card":
            return "", texts.card(self.document, self.slip, self.registered, self.now)
        mail = texts.mail(self.document, self.slip, self.registered, self.now)
        return mail.subject, mail.body


def sample_notices(kind: str, channel: NoticeChannel, campaign: Campaign) -> Iterator[SampleNotice]:
    """Yield notices of the kind: one for each outcome, reason or parameter."""
    known = KINDS[kind]
    if known.source == "slip":
        yield from _slip_samples(kind, channel, known, campaign)
    elif known.source == "register":
        yield from _register_samples(kind, channel, known, campaign)
    else:
        yield from _announcement_samples(kind, channel, known, campaign)


def _slip_samples(kind: str, channel: NoticeChannel, known: Kind, campaign: Campaign) -> Iterator[SampleNotice]:
    """Yield slips of one class, in the first draw and in a redraw, and one of all classes."""
    change = 1 if known.condition.change else 0
    outcomes = [pair for pair in _OUTCOMES if not known.condition.outcomes or pair[0] in known.condition.outcomes]
    for draw in (1, 2):
        for outcome, reason in outcomes:
            slip = sample_slip(campaign, [(campaign.classes[0], outcome, reason)], draw=draw, change=change)
            title = f"{outcome} {reason} draw {draw}" if reason else f"{outcome} draw {draw}"
            yield _sample(title, kind, channel, campaign, slip=slip)
    first, *others = campaign.classes
    rows = [(first, *outcomes[0]), *((other, *_OUTCOMES[n % len(_OUTCOMES)]) for n, other in enumerate(others))]
    yield _sample("all classes", kind, channel, campaign, slip=sample_slip(campaign, rows, draw=1, change=change))


def sample_slip(
    campaign: Campaign, rows: list[tuple[EventClass, str, str | None]], *, draw: int, change: int
) -> OutcomeSlip:
    """Return a slip with these outcomes. Its signature is not valid."""
    return OutcomeSlip(
        campaign=campaign.id,
        draw=DrawId(f"{campaign.id}-{draw}"),
        n=draw * CHANGES_PER_DRAW + change,
        token=_TOKEN,
        receipt=SAMPLE_RECEIPT,
        entry="0" * 32,
        issued_at=campaign.draw.at.isoformat(),
        outcomes=tuple(_outcome(campaign, *row) for row in rows),
        key="0" * 16,
        signature="0" * 86,
    )


def _outcome(campaign: Campaign, event_class: EventClass, outcome: str, reason: str | None) -> SlipOutcome:
    answer_by = (campaign.notify_by + timedelta(days=1)).isoformat()
    return SlipOutcome.model_validate(
        {
            "class_id": event_class.id,
            "outcome": outcome,
            "seats": event_class.seats[0],
            "position": 3 if outcome == "waiting" else None,
            "answer_by": answer_by if outcome == "offered" else None,
            "reason": reason,
        }
    )


def _register_samples(kind: str, channel: NoticeChannel, known: Kind, campaign: Campaign) -> Iterator[SampleNotice]:
    """Yield applications with each reason, and some with refused classes, before and after the end of the window."""
    refused = (Refusal(class_id=campaign.classes[-1].id, reason="grade"),)
    choices = tuple(Choice(class_id=each.id, seats=each.seats[0]) for each in campaign.classes[:2])
    for now in (campaign.window.opens, campaign.window.closes):
        if known.condition.refused:
            for reason in (*REASONS, "other"):
                registered = _registered((reason,), refused if reason == "grade" else (), ())
                yield _sample(reason, kind, channel, campaign, registered=registered, now=now)
        else:
            for version in (1, 2):
                complete = _registered((), (), choices, version)
                yield _sample(f"complete {version}", kind, channel, campaign, registered=complete, now=now)
            partly = _registered((), refused, choices)
            yield _sample("a class refused", kind, channel, campaign, registered=partly, now=now)


def _registered(
    reasons: tuple[str, ...], refused: tuple[Refusal, ...], choices: tuple[Choice, ...], version: int = 1
) -> Registered:
    return Registered(SAMPLE_RECEIPT, SAMPLE_NAME, reasons, refused, choices, version)


def _announcement_samples(kind: str, channel: NoticeChannel, known: Kind, campaign: Campaign) -> Iterator[SampleNotice]:
    """Yield announcements with each value of the enumerations, about one class and about all."""
    enumerated = [(name, value) for name, param in known.params.items() for value in param.values]
    for name, value in enumerated:
        for class_params in ({}, {"class_id": campaign.classes[0].id}):
            document = _document(kind, channel, campaign, 1, {name: value, **class_params})
            yield SampleNotice(value, document, None, None, campaign.notify_by)


def _sample(
    title: str,
    kind: str,
    channel: NoticeChannel,
    campaign: Campaign,
    *,
    slip: OutcomeSlip | None = None,
    registered: Registered | None = None,
    now: datetime | None = None,
) -> SampleNotice:
    params: NoticeParams = {"class_id": campaign.classes[0].id} if "class_id" in KINDS[kind].params else {}
    document = _document(kind, channel, campaign, slip.n if slip else (registered.version if registered else 1), params)
    facts = registered or _registered((), (), ())
    return SampleNotice(title, document, slip, facts, now or campaign.notify_by)


def _document(kind: str, channel: NoticeChannel, campaign: Campaign, n: int, params: NoticeParams) -> NoticeDocument:
    return NoticeDocument.model_validate(
        {
            "notice": "n-" + "0" * 20,
            "campaign": campaign.id,
            "kind": kind,
            "channel": channel,
            "attempt": 1,
            "n": n,
            "token": _TOKEN,
            "params": params,
        }
    )
