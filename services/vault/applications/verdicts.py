"""Judge opened versions against the applications stored before, store the result and publish the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.vault.applications.duplicates import DuplicateOrder
from services.vault.applications.matching import COPY
from services.vault.applications.order_repository import OrderRepository
from services.vault.applications.repository import ApplicationRepository
from services.vault.applications.rules.contacts import contact_channel, mail_domain_class
from services.vault.applications.rules.content import Judged, Unreadable, Verdict, Withdrawal
from services.vault.applications.rules.states import ApplicationState
from services.vault.applications.search import Arriving, DuplicateSearch
from services.vault.applications.stored import StoredApplication, VersionTime
from services.vault.identities.repository import IdentityRepository, StoredIdentity
from shared.codes import EntryId, ProofDigest
from shared.contracts import Channel
from shared.ids import ApplicationId, CampaignId, Receipt
from shared.storage import Store, UnitOfWork


@dataclass(frozen=True)
class Arrival:
    """One version of an application as it arrived."""

    application_id: ApplicationId
    receipt: Receipt
    version: int
    channel: Channel
    received_at: datetime


@dataclass(frozen=True)
class OpenedVersion:
    """A version after the keys were used on it; `identity` is encrypted again already.

    `entry` and `proof_sha256` are None where the content has no usable code. `hashes` are empty without a person.
    """

    arrival: Arrival
    verdict: Verdict
    entry: EntryId | None
    proof_sha256: ProofDigest | None
    identity: StoredIdentity | None
    hashes: Mapping[str, str]


class VerdictWriter:
    """Write verdicts within a unit of work."""

    def __init__(self, store: Store, search: DuplicateSearch) -> None:
        self._applications, self._identities = ApplicationRepository(store), IdentityRepository(store)
        self._orders, self._search = OrderRepository(store), search

    async def write(
        self,
        uow: UnitOfWork,
        campaign: CampaignId,
        known: Mapping[ApplicationId, StoredApplication],
        opened: Sequence[OpenedVersion],
    ) -> None:
        """Judge versions in order of arrival, store them and publish what changed. `known`: rows of their ids."""
        taken = await self._applications.taken_entries(uow, {one.entry for one in opened if one.entry is not None})
        versions = [_with_own_entry(_unsearched(one, known), taken) for one in sorted(opened, key=_order)]
        searched = await self._search.find(uow, campaign, _arriving(versions))
        contents = {content for pair in searched.pairs for content in pair.contents}
        contents |= {one.hashes[COPY] for one in versions if one.hashes}
        order = await self._orders.load(uow, campaign, list(known.values()), contents)
        order.add_pairs(searched.pairs)
        identities: dict[str, StoredIdentity] = {}
        for version in versions:
            blocks = searched.blocks[version.hashes[COPY]] if version.hashes else {}
            if take_version(order, campaign, version, blocks) and version.identity is not None:
                identities[version.identity.token] = version.identity
        stored = {application.token for application in known.values()}
        await self._identities.insert(uow, [one for token, one in identities.items() if token not in stored])
        for token, identity in identities.items():
            if token in stored:
                await self._identities.replace(uow, identity)
        await self._orders.save(uow, campaign, order)


def _arriving(versions: Sequence[OpenedVersion]) -> list[Arriving]:
    """Return the people of these versions, each content once."""
    people = {
        one.hashes[COPY]: Arriving(one.hashes[COPY], one.verdict.person, one.arrival.received_at)
        for one in reversed(versions)
        if one.hashes and isinstance(one.verdict, Judged)
    }
    return list(reversed(people.values()))


def _order(version: OpenedVersion) -> tuple[datetime, ApplicationId, int]:
    return version.arrival.received_at, version.arrival.application_id, version.arrival.version


def _with_own_entry(version: OpenedVersion, taken: dict[EntryId, ApplicationId]) -> OpenedVersion:
    """Return the version; one whose entry id belongs to another application is malformed."""
    if version.entry is None or taken.setdefault(version.entry, version.arrival.application_id) == (
        version.arrival.application_id
    ):
        return version
    return replace(version, verdict=Unreadable(("malformed",)), entry=None, proof_sha256=None, identity=None, hashes={})


def take_version(
    order: DuplicateOrder, campaign: CampaignId, version: OpenedVersion, blocks: Mapping[str, str]
) -> bool:
    """Place a version in the order; return True if its content stands now.

    Only content with the applicant's code changes an application. For any other the earlier content stands under the
    new number: who can send versions, but does not know the code, can neither replace nor spoil an application.
    """
    arrival, earlier = version.arrival, order.find(version.arrival.application_id)
    if earlier is not None and arrival.version <= earlier.content_version:
        return _take_late(order, campaign, version, earlier, blocks)
    if earlier is not None and earlier.entry is not None and version.entry != earlier.entry:
        if arrival.version > earlier.version:
            order.repeat(arrival.application_id, arrival.version, arrival.received_at)
        return False
    order.place(_to_store(campaign, version, earlier, blocks))
    return True


def _take_late(
    order: DuplicateOrder,
    campaign: CampaignId,
    version: OpenedVersion,
    earlier: StoredApplication,
    blocks: Mapping[str, str],
) -> bool:
    """Take from an overtaken version what none has told yet; return True if its person is stored.

    Behind content without a code it stands, as if it had come first. Behind a withdrawal it names who is notified.
    """
    if not earlier.misses(version.arrival.version) or version.entry is None:
        return False
    if earlier.entry is None:
        order.place(_to_store(campaign, version, earlier, blocks))
    elif version.entry == earlier.entry and version.identity is not None and isinstance(version.verdict, Judged):
        person = version.verdict.person
        order.add_person(
            replace(
                earlier,
                token=version.identity.token,
                contact=contact_channel(person),
                mail_domain_class=mail_domain_class(person),
                channel=version.arrival.channel,
                received_at=min(earlier.received_at, version.arrival.received_at),
                versions=_with_version(earlier, version.arrival),
            )
        )
    else:
        return False
    return True


def _unsearched(version: OpenedVersion, known: Mapping[ApplicationId, StoredApplication]) -> OpenedVersion:
    """Return a version without hashes if a later one with the code is stored: nobody is compared with its person."""
    earlier = known.get(version.arrival.application_id)
    is_late = earlier is not None and earlier.entry is not None and version.arrival.version < earlier.content_version
    return replace(version, hashes={}) if is_late else version


def _with_version(earlier: StoredApplication | None, arrival: Arrival) -> tuple[VersionTime, ...]:
    """Return the arrivals with this one, whose content stands over those before it in order."""
    others = earlier.versions if earlier else ()
    if earlier is not None and earlier.entry is None:
        others = tuple(replace(one, stands=one.stands and one.version < arrival.version) for one in others)
    arrivals = (*others, VersionTime(arrival.version, arrival.received_at, stands=True))
    return tuple(sorted(arrivals, key=lambda one: one.version))


def _to_store(
    campaign: CampaignId, opened: OpenedVersion, earlier: StoredApplication | None, blocks: Mapping[str, str]
) -> StoredApplication:
    """Return the application with the content of this version, judged by the rules alone.

    Content that names no person leaves the earlier one, who is notified of the verdict.
    """
    arrival, verdict, identity = opened.arrival, opened.verdict, opened.identity
    judged = verdict if isinstance(verdict, Judged) else None
    contact, domain_class = (earlier.contact, earlier.mail_domain_class) if earlier else (None, None)
    if judged:
        contact, domain_class = contact_channel(judged.person), mail_domain_class(judged.person)
    return StoredApplication(
        application_id=arrival.application_id,
        campaign=campaign,
        receipt=earlier.receipt if earlier else arrival.receipt,
        version=max(arrival.version, earlier.version if earlier else 1),
        content_version=arrival.version,
        channel=earlier.channel if earlier else arrival.channel,
        state=_state(verdict),
        token=identity.token if identity else (earlier.token if earlier else None),
        entry=opened.entry,
        proof_sha256=opened.proof_sha256,
        contact=contact,
        mail_domain_class=domain_class,
        choices=judged.choices if judged else (),
        refused=judged.refused if judged else (),
        eligible=judged.eligible if judged else (),
        reasons=() if isinstance(verdict, Withdrawal) else verdict.reasons,
        doubts=judged.doubts if judged else (),
        match=None,
        keys=dict(opened.hashes),
        blocks=dict(blocks),
        revision=earlier.revision if earlier else 1,
        received_at=min(earlier.received_at, arrival.received_at) if earlier else arrival.received_at,
        arrived_at=arrival.received_at,
        versions=_with_version(earlier, arrival),
    )


def _state(verdict: Verdict) -> ApplicationState:
    if isinstance(verdict, Withdrawal):
        return ApplicationState.WITHDRAWN
    return ApplicationState.REJECTED if verdict.reasons else ApplicationState.ACCEPTED
