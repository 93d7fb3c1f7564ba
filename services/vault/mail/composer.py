"""Compose the mails of a bundle: reveal all recipients at once, then write each text from its released template."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from jinja2 import TemplateError

from services.vault.deliveries.register import RegisterReader
from services.vault.deliveries.rules.checks import Register, is_superseded, registered
from services.vault.deliveries.rules.delivery import Delivery, Outcome
from services.vault.deliveries.rules.states import DeliveryState
from services.vault.identities.reveal import Identities, PurposeNotAllowedError, Revealed
from services.vault.mail.rules.bounce_address import BounceAddresses
from services.vault.mail.rules.message import Mail, Picture, build_message
from services.vault.mail.rules.pass_picture import draw_pass
from services.vault.mail.session import OutgoingMail, Recipient
from services.vault.notices.released import ReleasedTemplates
from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.shown import SHOWN
from services.vault.notices.rules.texts import NoticeTexts
from shared.campaign import Campaign
from shared.clock import Clock
from shared.ids import CampaignId, Token
from shared.logging import describe, get_logger
from shared.storage import Store

PURPOSE: Final = "result-notice"
_ACTOR: Final = "mail-room"

_log = get_logger(__name__)


@dataclass(frozen=True)
class Composed:
    """Mails of a bundle, and the deliveries that are settled without one, with their outcomes."""

    mails: list[OutgoingMail] = field(default_factory=list)
    settled: dict[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True)
class _Bundle:
    """Everything that the texts need, read for all deliveries at once."""

    revealed: Mapping[Token, Revealed] = field(repr=False)
    register: Register = field(repr=False)
    texts: Mapping[tuple[CampaignId, str], NoticeTexts | None]
    now: datetime


class MailComposer:
    """Compose mails; the audit lines are durable before this returns a text."""

    def __init__(
        self,
        store: Store,
        identities: Identities,
        templates: ReleasedTemplates,
        campaigns: Mapping[CampaignId, Campaign],
        bounces: BounceAddresses,
        clock: Clock,
    ) -> None:
        self._register = RegisterReader(store)
        self._identities, self._templates, self._campaigns = identities, templates, campaigns
        self._bounces, self._clock = bounces, clock

    async def compose(self, deliveries: Sequence[Delivery]) -> Composed:
        """Return the mails of these deliveries. Raises VaultLockedError, NotRecordedError, StoreUnavailableError."""
        tokens = list({token for delivery in deliveries for token in delivery.tokens})
        register = await self._register.read(tokens)
        composed, current = Composed(), []
        for delivery in deliveries:
            if is_superseded(delivery.document, register):
                composed.settled[delivery.id] = Outcome(DeliveryState.SUPERSEDED)
            else:
                current.append(delivery)
        bundle = _Bundle(await self._reveal(current), register, await self._texts(current), self._clock.now())
        await asyncio.to_thread(self._write_all, current, bundle, composed)
        return composed

    async def _reveal(self, deliveries: Sequence[Delivery]) -> dict[Token, Revealed]:
        """Return the recipients by token; those of a campaign that does not allow the purpose are absent."""
        revealed: dict[Token, Revealed] = {}
        for campaign in {delivery.campaign for delivery in deliveries}:
            cases: dict[Token, list[str]] = {}
            for delivery in deliveries:
                if delivery.campaign == campaign:
                    for token in delivery.tokens:
                        cases.setdefault(token, []).append(delivery.notice)
            try:
                revealed |= await self._identities.reveal_cases(cases, purpose=PURPOSE, actor=_ACTOR)
            except PurposeNotAllowedError:
                _log.error("purpose-not-allowed", campaign=campaign, count=len(cases))
        return revealed

    async def _texts(self, deliveries: Sequence[Delivery]) -> dict[tuple[CampaignId, str], NoticeTexts | None]:
        wanted = {(delivery.campaign, delivery.document.kind) for delivery in deliveries}
        return {key: await self._templates.texts(*key, "mail") for key in wanted}

    def _write_all(self, deliveries: Sequence[Delivery], bundle: _Bundle, composed: Composed) -> None:
        for delivery in deliveries:
            written = self._write(delivery, bundle)
            if isinstance(written, OutgoingMail):
                composed.mails.append(written)
            else:
                composed.settled[delivery.id] = Outcome(written)

    def _write(self, delivery: Delivery, bundle: _Bundle) -> OutgoingMail | DeliveryState:
        """Return the mail, or the state of a delivery that cannot be sent."""
        document, campaign = delivery.document, self._campaigns.get(delivery.campaign)
        texts = bundle.texts[delivery.campaign, document.kind]
        sender = self._bounces.format(delivery.notice)
        recipients = self._recipients(delivery, bundle)
        if campaign is None or sender is None or recipients is None:
            return self._invalid(delivery, "unknown-recipient")
        if texts is None:
            return DeliveryState.NOT_RELEASED
        try:
            content = self._message(delivery, campaign, texts, bundle)
        except TemplateError as error:
            # Until a version without the mistake is released, the notice cannot be written.
            _log.error("template-failed", notice=delivery.notice, **describe(error))
            return DeliveryState.NOT_RELEASED
        except (ValueError, LookupError) as error:
            _log.error("mail-not-composed", notice=delivery.notice, **describe(error))
            return DeliveryState.INVALID
        return OutgoingMail(delivery.id, sender, recipients, content, is_bulk=document.tokens is not None)

    def _recipients(self, delivery: Delivery, bundle: _Bundle) -> list[Recipient] | None:
        """Return all recipients; None if one of them is unknown, erased or has no mail address."""
        recipients = []
        for token in delivery.tokens:
            known = bundle.revealed.get(token)
            if known is None or known.campaign != delivery.campaign or known.person.email is None:
                return None
            recipients.append(Recipient(token, known.person.email))
        return recipients

    def _message(self, delivery: Delivery, campaign: Campaign, texts: NoticeTexts, bundle: _Bundle) -> bytes:
        document, slip = delivery.document, delivery.slip
        facts, to = None, campaign.office.mail_to
        if document.token is not None:
            token = Token(document.token)
            person = bundle.revealed[token].person
            facts = registered(bundle.register.entries[token], person.name)
            to = person.email or ""
        text = texts.mail(document, slip, facts, bundle.now)
        mail = Mail(
            office=campaign.office.name,
            sender=campaign.office.mail_from,
            to=to,
            subject=text.subject,
            body=text.body,
            message_id=f"{delivery.notice}@{self._bounces.domain}",
            date=bundle.now,
            pictures=_pictures(campaign, delivery) if "passes" in SHOWN[KINDS[document.kind].source, "mail"] else (),
        )
        return build_message(mail)

    def _invalid(self, delivery: Delivery, reason: str) -> DeliveryState:
        _log.error("notice-document-invalid", campaign=delivery.campaign, notice=delivery.notice, reason=reason)
        return DeliveryState.INVALID


def _pictures(campaign: Campaign, delivery: Delivery) -> list[Picture]:
    """Return the passes of the slip, named by the number of the class."""
    pictures = []
    for class_pass in delivery.slip.passes if delivery.slip else ():
        event_class = campaign.event_class(class_pass.class_id)
        if event_class is not None:
            pictures.append(Picture(f"pass-{event_class.number}.png", draw_pass(class_pass.code)))
    return pictures
