"""Released templates: the vault writes texts from these versions only, and from no file that changed since."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, get_args

from services.vault.notices.repository import ReleasedTemplate, TemplateRepository
from services.vault.notices.rules.kinds import KINDS
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


class ReleasedTemplates:
    """Release templates, and write texts from the released ones."""

    def __init__(self, store: Store, campaigns: Mapping[CampaignId, Campaign], files: TemplateFiles) -> None:
        self._repository = TemplateRepository(store)
        self._campaigns, self._files = campaigns, files
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

    def read(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> TemplateSource | None:
        """Return a template as its file has it now; None if there is none."""
        return self._files.read(campaign, kind, channel) if kind in KINDS else None

    async def release(
        self, campaign: CampaignId, kind: str, channel: NoticeChannel, sha256: str, *, actor: str, clock: Clock
    ) -> ReleasedTemplate:
        """Release the template if its file still has the SHA-256 that the handler looked at.

        Raises NotReleasableError: `unknown-template`, `changed-meanwhile`, `mistakes`, `busy`.
        """
        source = await asyncio.to_thread(self.read, campaign, kind, channel)
        if source is None:
            raise NotReleasableError("unknown-template")
        if source.sha256 != sha256:
            raise NotReleasableError("changed-meanwhile")
        if mistakes := self._mistakes(campaign, source):
            raise NotReleasableError("mistakes", mistakes)
        return await self._insert(campaign, source, actor, clock)

    async def _insert(self, campaign: CampaignId, source: TemplateSource, actor: str, clock: Clock) -> ReleasedTemplate:
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
                released_at=clock.now(),
            )
            if await self._repository.insert(released):
                return released
        raise NotReleasableError("busy")

    def _sources(self, campaign: CampaignId) -> list[TemplateSource]:
        found = (self._files.read(campaign, kind, channel) for kind in KINDS for channel in CHANNELS)
        return [source for source in found if source is not None]

    def _mistakes(self, campaign: CampaignId, source: TemplateSource) -> tuple[str, ...]:
        return tuple(find_mistakes(source.text, source.kind, source.channel, self._campaigns[campaign]))
