"""Released templates: the vault writes texts from these versions only, and from no file that changed since."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
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
from shared.approvals import Act, ApprovalGate, ApprovalId, ApprovalKind
from shared.campaign import Campaign
from shared.clock import Clock
from shared.contracts import NoticeChannel
from shared.errors import KujiError
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.storage import Store, UnitOfWork

CHANNELS: Final[tuple[NoticeChannel, ...]] = get_args(NoticeChannel)

PURPOSE: Final = "result-notice"

TemplateName = tuple[str, NoticeChannel]
"""Kind and channel of a template."""


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
        gate: ApprovalGate,
    ) -> None:
        self._store, self._repository, self._gate = store, TemplateRepository(store), gate
        self._campaigns, self._files, self._audit, self._clock = campaigns, files, audit, clock
        self._texts: dict[tuple[CampaignId, str], NoticeTexts] = {}
        self._found: dict[tuple[CampaignId, str, NoticeChannel, str], tuple[str, ...]] = {}

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

    async def params(self, campaign: CampaignId, wanted: Sequence[TemplateName] | None = None) -> JsonObject:
        """Return what an approval of a release names: each template and its SHA-256 now; by default all not released.

        Raises NotReleasableError: `unknown-template`, `mistakes`, `nothing-to-release`.
        """
        if wanted is not None:
            return _named([await self._sound(campaign, kind, channel) for kind, channel in wanted])
        states = [state for state in await self.states(campaign) if state.state != "released"]
        if mistakes := [mistake for state in states for mistake in state.mistakes]:
            raise NotReleasableError("mistakes", tuple(mistakes))
        if not states:
            raise NotReleasableError("nothing-to-release")
        return _named([state.source for state in states])

    async def release(
        self, campaign: CampaignId, wanted: Sequence[TemplateName], approval_id: ApprovalId, *, actor: str
    ) -> list[ReleasedTemplate]:
        """Release the templates if their files still have the SHA-256 that was approved; the audit log has lines.

        Raises NotReleasableError, ApprovalRefusedError.
        """
        sources = [await self._sound(campaign, kind, channel) for kind, channel in wanted]
        act = Act(ApprovalKind.RELEASE_TEMPLATES, campaign, _named(sources), actor)
        people = await self._gate.check(approval_id, act)
        await self._audit.record(
            [
                AuditEvent(
                    people.everybody, people.roles, f"release-template:{source.kind}/{source.channel}", PURPOSE,
                    campaign, None, source.sha256,
                )
                for source in sources
            ]
        )  # fmt: skip

        async def work(uow: UnitOfWork) -> list[ReleasedTemplate]:
            await self._gate.execute(uow, approval_id, act)
            return [await self._insert(uow, campaign, source, people.everybody) for source in sources]

        return await self._store.transact(work)

    async def _sound(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> TemplateSource:
        """Return the template as its file has it now. Raises NotReleasableError where it has mistakes."""
        source = await self._read(campaign, kind, channel)
        if mistakes := self._mistakes(campaign, source):
            raise NotReleasableError("mistakes", mistakes)
        return source

    async def _read(self, campaign: CampaignId, kind: str, channel: NoticeChannel) -> TemplateSource:
        if kind not in KINDS:
            raise NotReleasableError("unknown-template")
        source = await asyncio.to_thread(self._files.read, campaign, kind, channel)
        if source is None:
            raise NotReleasableError("unknown-template")
        return source

    async def _insert(
        self, uow: UnitOfWork, campaign: CampaignId, source: TemplateSource, actor: str
    ) -> ReleasedTemplate:
        """Insert the next version. Releasing the version in use again changes nothing."""
        newest = await self._repository.newest(campaign, source.kind, source.channel, uow.session)
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
        if not await self._repository.insert(uow, released):
            raise NotReleasableError("changed-meanwhile")
        return released

    def _sources(self, campaign: CampaignId) -> list[TemplateSource]:
        found = (self._files.read(campaign, kind, channel) for kind in KINDS for channel in CHANNELS)
        return [source for source in found if source is not None]

    def _samples(self, campaign: CampaignId, source: TemplateSource) -> Iterator[SampleText]:
        key = (source.kind, source.channel)
        texts = NoticeTexts(self._campaigns[campaign], {key: NoticeTemplate(source.text, source.channel)})
        for sample in sample_notices(*key, self._campaigns[campaign]):
            yield SampleText(sample.title, *sample.render(texts))

    def _mistakes(self, campaign: CampaignId, source: TemplateSource) -> tuple[str, ...]:
        """Look for mistakes once for each text: each look makes every sample notice of its kind."""
        key = (campaign, source.kind, source.channel, source.sha256)
        if key not in self._found:
            self._found[key] = tuple(find_mistakes(source.text, source.kind, source.channel, self._campaigns[campaign]))
        return self._found[key]


def _named(sources: Sequence[TemplateSource]) -> JsonObject:
    """Return the parameters of an approval for these versions."""
    return {"templates": [{"kind": one.kind, "channel": one.channel, "sha256": one.sha256} for one in sources]}
