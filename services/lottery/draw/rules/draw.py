"""Describe the draw of a campaign as a frozen record, read from its document and written to it. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Self, TypeVar

from services.lottery.draw.rules.further_round import FurtherRound
from services.lottery.draw.rules.given_source import GivenSource, RelayTrouble
from services.lottery.draw.rules.states import DrawState, WrongStateError
from services.lottery.randomness.sources import Randomness, draw_key
from services.lottery.record.manifest import Freeze, Manifest, Override, Previous
from shared.ids import CampaignId, DrawId

_ABSENT: Final[tuple[Any, ...]] = (None, [], {})

T = TypeVar("T")


@dataclass(frozen=True)
class Closing:
    """Facts that are fixed when the list is closed. `vault_key`: the pinned key, None where none was."""

    at: datetime
    override: Override | None
    beacon_round: int
    vault_key: str | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the record of a stored document."""
        at = datetime.fromisoformat(document["at"])
        return cls(at, _optional(_override, document["override"]), document["beacon_round"], document["vault_key"])

    def to_document(self) -> Mapping[str, Any]:
        """Return the document that `from_document` reads."""
        override = self.override and asdict(self.override)
        at = self.at.isoformat()
        return {"at": at, "override": override, "beacon_round": self.beacon_round, "vault_key": self.vault_key}


@dataclass(frozen=True)
class Erasure:
    """A requested erasure; its progress is in the service's `erasures`."""

    id: str
    state: str


@dataclass(frozen=True)
class PlaceProgress:
    """Counters of what happened to places after the draw.

    `changes` counts the transactions that moved places, `extra` the seats that corrections added by class. `settled`
    and `signed` are the values of `changes` when the waiting lists were last settled and the transcript last signed.
    `settle_again_at`: when something falls due without a change.
    """

    changes: int = 0
    extra: Mapping[str, int] = field(default_factory=dict)
    settled: int | None = None
    settle_again_at: datetime | None = None
    signed: int = 0


@dataclass(frozen=True)
class Draw:
    """Draw of a campaign. `history` holds the events of the transcript's hash chain up to the draw.

    `given_up` says why a past draw was replaced; `previous` says in the next draw which one it replaces or continues.
    `further`: of a further round. `continued`: a past draw whose places stand, because a further round follows it.
    `dice_acts`: acts of the witnesses so far, in the order of time, then id. `dice`: their digits when all are there.
    `changes` counts changes of the entries, so that a freeze can tell whether the list changed since it was checked.
    """

    campaign: CampaignId
    id: DrawId
    number: int
    state: DrawState
    changes: int = 0
    closing: Closing | None = None
    previous: Previous | None = None
    given_up: Previous | None = None
    further: FurtherRound | None = None
    continued: bool = False
    manifest_line: str | None = None
    signature: str | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    dice: str | None = None
    dice_acts: tuple[Mapping[str, Any], ...] = ()
    dice_evidence: tuple[str, ...] = ()
    beacon_signature: str | None = None
    given: tuple[GivenSource, ...] = ()
    relay_troubles: tuple[RelayTrouble, ...] = ()
    parts_published: int = 0
    erasure: Erasure | None = None
    places: PlaceProgress = field(default_factory=PlaceProgress)

    @property
    def rounds(self) -> tuple[DrawId, ...]:
        """Ids of the draws whose places stand together: the draw itself, and the draws that it continues before it."""
        return (*self.further.rounds, self.id) if self.further else (self.id,)

    @property
    def base(self) -> DrawId:
        """Id under which places and outcomes are stored: that of the first of `rounds`."""
        return self.rounds[0]

    @property
    def is_erasing(self) -> bool:
        """True after an erasure was requested, also after it was carried out."""
        return self.erasure is not None

    @property
    def has_manifest(self) -> bool:
        """True after the freeze."""
        return self.manifest_line is not None

    @cached_property
    def manifest(self) -> Manifest:
        """Signed manifest. Raises WrongStateError before the freeze."""
        if self.manifest_line is None:
            raise WrongStateError(self.state)
        return Manifest.read(self.manifest_line)

    @property
    def randomness(self) -> Randomness:
        """Randomness that was entered so far."""
        return Randomness(self.dice, self.beacon_signature)

    @property
    def key(self) -> bytes:
        """Key K of the draw, 32 bytes. Raises WrongStateError before the freeze."""
        return draw_key(self.manifest.line, self.randomness)

    @property
    def lacks_randomness(self) -> bool:
        """True while a source that the manifest names is missing. Raises WrongStateError before the freeze."""
        return self.lacks_dice or self.beacon_signature is None

    @property
    def lacks_dice(self) -> bool:
        """True while the digits of a witness are missing. Raises WrongStateError before the freeze."""
        return self.manifest.uses_dice and self.dice is None

    @property
    def freeze(self) -> Freeze:
        """Facts about the freeze, as the manifest states them. Raises WrongStateError before the list is closed."""
        if self.closing is None:
            raise WrongStateError(self.state)
        return Freeze(
            at=self.closing.at,
            override=self.closing.override,
            number=self.number,
            beacon_round=self.closing.beacon_round,
            previous=self.previous,
        )

    @property
    def vault_key(self) -> str | None:
        """Public key of the vault that was pinned when the list was closed."""
        return None if self.closing is None else self.closing.vault_key

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the draw of a stored document; a past draw's document names its campaign in `campaign`."""
        return cls(
            campaign=CampaignId(document.get("campaign", document["_id"])),
            id=DrawId(document["draw"]),
            number=document["number"],
            state=DrawState(document["state"]),
            changes=document.get("changes", 0),
            closing=_optional(Closing.from_document, document.get("closing")),
            previous=_optional(_previous, document.get("previous")),
            given_up=_optional(_previous, document.get("given_up")),
            further=_optional(FurtherRound.from_document, document.get("further")),
            continued=document.get("continued", False),
            manifest_line=document.get("manifest"),
            signature=document.get("signature"),
            history=tuple(document.get("history", ())),
            dice=document.get("dice"),
            dice_acts=tuple(document.get("dice_acts", ())),
            dice_evidence=tuple(document.get("dice_evidence", ())),
            beacon_signature=document.get("beacon_signature"),
            given=tuple(map(GivenSource.from_document, document.get("given", ()))),
            relay_troubles=tuple(RelayTrouble(**member) for member in document.get("relay_troubles", ())),
            parts_published=document.get("parts_published", 0),
            erasure=_optional(_erasure, document.get("erasure")),
            places=PlaceProgress(**document.get("places", {})),
        )

    def to_document(self) -> Mapping[str, Any]:
        """Return the document of a campaign's present draw. Absent values have no member: filters rely on that."""
        members = {
            "closing": self.closing and self.closing.to_document(),
            "previous": self.previous and asdict(self.previous),
            "given_up": self.given_up and asdict(self.given_up),
            "further": self.further and asdict(self.further),
            "manifest": self.manifest_line,
            "signature": self.signature,
            "history": list(self.history),
            "dice": self.dice,
            "dice_acts": [dict(act) for act in self.dice_acts],
            "dice_evidence": list(self.dice_evidence),
            "beacon_signature": self.beacon_signature,
            "given": [source.to_document() for source in self.given],
            "relay_troubles": [asdict(trouble) for trouble in self.relay_troubles],
            "parts_published": self.parts_published,
            "erasure": self.erasure and _without_absent(asdict(self.erasure)),
            "places": _without_absent(asdict(self.places)),
        }
        required = {"_id": self.campaign, "draw": self.id, "number": self.number, "state": self.state}
        return {**required, "changes": self.changes, **_without_absent(members)}


def _optional(make: Callable[[Mapping[str, Any]], T], document: Mapping[str, Any] | None) -> T | None:
    return None if document is None else make(document)


def _override(document: Mapping[str, Any]) -> Override:
    return Override(**{**document, "staff": tuple(document["staff"])})


def _previous(document: Mapping[str, Any]) -> Previous:
    return Previous(**{**document, "staff": tuple(document["staff"])})


def _erasure(document: Mapping[str, Any]) -> Erasure:
    return Erasure(**document)


def _without_absent(members: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in members.items() if value not in _ABSENT}
