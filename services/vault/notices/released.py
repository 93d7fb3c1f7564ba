"""Released templates: the vault writes texts from these versions only, and from no file that changed since."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, get_args

from services.vault.audit import AuditEvent, AuditLog
from services.vault.notices.repository import ReleasedTemplate, TemplateRepository
from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.samples import sample_notices
from services.vault.notices.rules.template import NoticeTemplate
from services.vault.notices.rules.template_check import find_mistakes
from services.vault.notices.rules.texts import NoticeTexts
from services.vault.notices.sources import TemplateFiles, TemplateSource
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import NoticeChannel
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.storage import Store

CHANNELS: Final[tuple[NoticeChannel, ...]] = get_args(NoticeChannel)

PURPOSE: Final = "result-notice"

_ATTEMPTS: Final = 5


class NotReleasableError(KujiError):
    """Raised when a template is not released; `code` says why, `mistakes` are those of the template."""

    def __init__(self, code: str, mistakes: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.mistakes = code, mistakes


@dataclass(frozen=True)
class TemplateState:
    """Template of a campaign as its file has it, beside the released version. `mistakes` prevent a release."""

    source: TemplateSource
    mistakes: tuple[str, ...]
    released: ReleasedTemplate | None

    @property
    def state(self) -> str:
        """`released`, `changed` (the file differs from the released version), or `not-released`."""
        if self.released is None:
            return "not-released"
        return "released" if self.released.sha256 == self.source.sha256 else "changed"


@dataclass(frozen=True)
class SampleText:
    """Text for a made-up applicant."""

    title: str
    subject: str
    text: str


@dataclass(frozen=True)
class Preview:
    """Template and the texts that it makes; none if it has mistakes."""

    state: TemplateState
    samples: tuple[SampleText, ...]


class ReleasedTemplates:
    """Release templates, and write texts from the released ones."""

    def __init__(
        self,
        store: Store,
        campaigns: Mapping[CampaignId, Campaign],
        files: TemplateFiles,
        audit: AuditLog,
        clock: Clock,
    ) -> None:
        self._repository = TemplateRepository(store)
        self._campaigns, self._files, self._audit, self._clock = campaigns, files, audit, clock
        self._texts: dict[tuple[CampaignId, str], NoticeTexts] = {}

    async def texts(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> NoticeTexts | None:
        """Return the texts of the newest released version; None if none was released.

        Call it once for a batch: it reads the database, so that a release of another vault process holds at once.
        """
        released = await self._repository.newest(campaign, kind, channel)
        if released is None or campaign not in self._campaigns:
            return None
        key = (campaign, released.sha256)
        if key not in self._texts:
            template = NoticeTemplate(released.text, channel)
            self._texts[key] = NoticeTexts(self._campaigns[campaign], {(kind, channel): template})
        return self._texts[key]

    async def states(self, campaign: CampaignId) -> list[TemplateState]:
        """Return the state of each template of the campaign."""
        released = await self._repository.newest_of_campaign(campaign)
        sources = await asyncio.to_thread(self._sources, campaign)
        return [
            TemplateState(source, self._mistakes(campaign, source), released.get((source.kind, source.channel)))
            for source in sources
        ]

    async def preview(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> Preview:
        """Return the template as its file has it now, with sample texts. Raises NotReleasableError."""
        source = await self._read(campaign, kind, channel)
        released = await self._repository.newest(campaign, kind, channel)
        state = TemplateState(source, self._mistakes(campaign, source), released)
        return Preview(state, () if state.mistakes else tuple(self._samples(campaign, source)))

    async def release(
        self, campaign: CampaignId, kind: str, channel: NoticeChannel, sha256: str, *, actor: str
    ) -> ReleasedTemplate:
        """Release the template if its file still has the SHA-256 that the handler looked at; the audit log has a line.

        Raises NotReleasableError: `unknown-template`, `changed-meanwhile`, `mistakes`.
        """
        source = await self._read(campaign, kind, channel)
        if source.sha256 != sha256:
            raise NotReleasableError("changed-meanwhile")
        if mistakes := self._mistakes(campaign, source):
            raise NotReleasableError("mistakes", mistakes)
        await self._audit.record(
            [AuditEvent(actor, "handler", f"release-template:{kind}/{channel}", PURPOSE, campaign, None, sha256)]
        )
        return await self._insert(campaign, source, actor)

    async def _read(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> TemplateSource:
        if kind not in KINDS:
            raise NotReleasableError("unknown-template")
        source = await asyncio.to_thread(self._files.read, campaign, kind, channel)
        if source is None:
            raise NotReleasableError("unknown-template")
        return source

    async def _insert(self, campaign: CampaignId, source: TemplateSource, actor: str) -> ReleasedTemplate:
        """Insert the next version. Releasing the version in use again changes nothing."""
        for _ in range(_ATTEMPTS):
            newest = await self._repository.newest(campaign, source.kind, source.channel)
            if newest is not None and newest.sha256 == source.sha256:
                return newest
            released = ReleasedTemplate(
                campaign=campaign,
                kind=source.kind,
                channel=source.channel,
                number=newest.number + 1 if newest else 1,
                sha256=source.sha256,
                text=source.text,
                released_by=actor,
                released_at=self._clock.now(),
            )
            if await self._repository.insert(released):
                return released
        raise NotReleasableError("changed-meanwhile")

    def _sources(self, campaign: CampaignId) -> list[TemplateSource]:
        found = (self._files.read(campaign, kind, channel) for kind in KINDS for channel in CHANNELS)
        return [source for source in found if source is not None]

    def _samples(self, campaign: CampaignId, source: TemplateSource) -> Iterator[SampleText]:
        key = (source.kind, source.channel)
        texts = NoticeTexts(self._campaigns[campaign], {key: NoticeTemplate(source.text, source.channel)})
        for sample in sample_notices(*key, self._campaigns[campaign]):
            yield SampleText(sample.title, *sample.render(texts))

    def _mistakes(self, campaign: CampaignId, source: TemplateSource) -> tuple[str, ...]:
        return tuple(find_mistakes(source.text, source.kind, source.channel, self._campaigns[campaign]))
