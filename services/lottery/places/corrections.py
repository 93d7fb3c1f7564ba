"""Correction of a wrong refusal: the application gets the places that the draw would have given. Needs an approval."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.lottery.allocation.entries import Entry
from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.draw.entry_repository import EntryRepository
from services.lottery.draw.list_repository import ListRepository
from services.lottery.draw.outcome_repository import OutcomeRepository
from services.lottery.draw.repository import DrawRepository
from services.lottery.draw.roll_repository import RollRepository
from services.lottery.draw.rules.draw import Draw
from services.lottery.draw.rules.result import Result
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.places import notices
from services.lottery.places.moves import NoSuchPlaceError
from services.lottery.places.published_draw import PublishedDraw
from services.lottery.places.stored_place import Actor, StoredPlace
from services.lottery.promotion.corrections import CorrectedResult, compute_correction, format_entry_choices
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import InvalidMoveError, Place, PlaceEvent, WaitingLists
from services.lottery.record.manifest import Manifest
from services.lottery.slips import SlipSigner
from shared.approvals import ApprovalKind
from shared.approvals.params import correction_params
from shared.approvals.presented import PresentedApproval
from shared.clock import Clock
from shared.codes import EntryId
from shared.contracts import SlipOutcome, StaffAct
from shared.errors import KujiError
from shared.ids import CampaignId, ClassId, Receipt, Token
from shared.staff_acts import record_act
from shared.storage import Store, UnitOfWork

REASON = "wrongly-refused"


class UnknownContactError(KujiError):
    """Raised when the vault gave no entry id and token, so that no slip could reach the applicant."""


@dataclass(frozen=True)
class RefusedApplication:
    """Application that was wrongly refused. `choices`: class and seats, in order of preference."""

    receipt: Receipt
    choices: tuple[tuple[ClassId, int], ...]


@dataclass(frozen=True)
class _Owner:
    """Entry id and token that the vault gave for the refused application."""

    entry: EntryId
    token: Token


class Corrections:
    def __init__(self, store: Store, clock: Clock, signer: SlipSigner) -> None:
        self._store, self._clock, self._signer = store, clock, signer

    async def correct(
        self, campaign: CampaignId, refused: RefusedApplication, approval: PresentedApproval
    ) -> dict[str, PlaceState]:
        """Give the places that the draw would have given. Return the states by class; empty if there are none.

        Raises NoSuchPlaceError if no such application was refused in time, UnknownContactError if no slip could reach
        the applicant, InvalidMoveError if it was in the draw or was corrected before, WrongStateError before
        publication, ApprovalRefusedError without an approval of exactly this correction.
        """
        draw = await DrawRepository(self._store).get(campaign)
        if draw.state is not DrawState.PUBLISHED:
            raise WrongStateError(draw.state)
        params = correction_params(draw.id, refused.receipt, refused.choices)
        approval.check(ApprovalKind.CORRECT_PLACE, campaign, params)
        owner = await _require_refused(self._store, campaign, refused)
        listed = _entry(owner.entry, refused)
        corrected = await self._compute(draw, listed)

        async def add_places(uow: UnitOfWork) -> None:
            published = await PublishedDraw.load(uow, campaign, self._clock.now())
            if published.id != draw.id:
                raise WrongStateError("being changed by another process")
            if await _require_refused(uow, campaign, refused) != owner:
                raise InvalidMoveError("the application changed meanwhile")
            used = await approval.use(uow, ApprovalKind.CORRECT_PLACE, campaign, params)
            await self._add_places(published, refused, corrected, Actor(used.actor, used.id), owner)
            await record_act(uow, "lottery", StaffAct.CORRECT_PLACE, used.actor, owner.entry, campaign)

        await self._store.transact(add_places)
        return dict(corrected.given)

    async def _compute(self, draw: Draw, listed: Entry) -> CorrectedResult:
        """Return what the draw would have given; after a further round, what the draw before it would have given."""
        numbered = {one.id: one for one in await DrawRepository(self._store).all(draw.campaign)}
        base, frozen = numbered[draw.base], await ListRepository(self._store).read(draw.base)
        return await asyncio.to_thread(_corrected, base.key, frozen, listed, base.manifest)

    async def _add_places(
        self,
        published: PublishedDraw,
        refused: RefusedApplication,
        corrected: CorrectedResult,
        actor: Actor,
        owner: _Owner,
    ) -> None:
        entry, events, places = _entry(owner.entry, refused), list[PlaceEvent](), dict[ClassId, Place]()
        for name, seats in refused.choices:
            if name in corrected.given:
                lists = await published.load_class(name)
                events.append(_event(published, lists, entry, name, seats, corrected.given[name]))
                lists.apply(events[-1])
                places[name] = lists.places[owner.entry, name]
        if events:
            await published.record(events, actor)
            await published.places.add_corrected(
                StoredPlace(published.campaign, published.base, owner.entry, name, refused.receipt, place)
                for name, place in places.items()
            )
            result = Result(owner.entry, refused.receipt, owner.token, _outcomes(refused, corrected, places))
            await OutcomeRepository(published.uow).add_corrected(published.campaign, published.base, result)
            await notices.publish_notices(published, events, self._signer)


async def _require_refused(at: Store | UnitOfWork, campaign: CampaignId, refused: RefusedApplication) -> _Owner:
    """Return entry id and token. Check that the application came in time and was refused: ids cannot be chosen."""
    verdict = await EntryRepository(at).find(campaign, refused.receipt)
    received = verdict is not None or await RollRepository(at).contains(campaign, refused.receipt)
    if not received or (verdict is not None and verdict.state == "accepted"):
        raise NoSuchPlaceError("not refused")
    if verdict is None or verdict.token is None or verdict.entry is None:
        raise UnknownContactError("no verdict with an entry id and a token")
    return _Owner(verdict.entry, verdict.token)


def _entry(entry: EntryId, refused: RefusedApplication) -> Entry:
    return Entry(bytes.fromhex(entry), tuple((str(name), seats) for name, seats in refused.choices))


def _outcomes(
    refused: RefusedApplication, corrected: CorrectedResult, places: Mapping[ClassId, Place]
) -> tuple[SlipOutcome, ...]:
    """Return one outcome for each class asked for, as the draw would have given it."""
    return tuple(_outcome(corrected, name, seats, places.get(name)) for name, seats in refused.choices)


def _outcome(corrected: CorrectedResult, name: ClassId, seats: int, place: Place | None) -> SlipOutcome:
    if place is None:
        return SlipOutcome(class_id=name, outcome="lost", seats=seats, reason=corrected.lost[name])
    if place.state is PlaceState.WAITING:
        return SlipOutcome(class_id=name, outcome="waiting", seats=seats, position=place.position)
    return SlipOutcome(class_id=name, outcome="won", seats=seats)


def _corrected(key: bytes, frozen: FrozenList, listed: Entry, manifest: Manifest) -> CorrectedResult:
    classes = {rule.id for rule in manifest.classes}
    if not {name for name, _ in listed.choices} <= classes:
        raise InvalidMoveError("the class does not exist")
    try:
        return compute_correction(key, frozen, listed, manifest.classes, manifest.rules)
    except ValueError:
        raise InvalidMoveError("this application was in the draw") from None


def _event(
    published: PublishedDraw, lists: WaitingLists, entry: Entry, name: str, seats: int, state: PlaceState
) -> PlaceEvent:
    extra = lists.extra_needed(name, seats) if state is PlaceState.HELD else 0
    return PlaceEvent(
        Move.CORRECTED,
        published.at,
        REASON,
        entry.id.hex(),
        name,
        seats,
        state=state,
        extra=extra,
        choices=format_entry_choices(entry),
    )
