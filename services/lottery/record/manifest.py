"""Manifest: one signed line that fixes list, receipts, rules and sources of randomness before the draw. Pure.

Its members are those of `docs/spec/draw-2.md` §4; only a further round has the member `further`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.lottery.allocation.frozen_list import FrozenList
from services.lottery.randomness.sources import BeaconRound
from services.lottery.record.further_member import Further, Receipts, read_further
from services.lottery.record.rows import leaf_hashes
from services.lottery.record.rule_members import campaign_members, read_class, read_promotion, read_scope
from services.lottery.rules import ClassRule, PromotionRules, Rules, Scope
from shared.campaign import Campaign
from shared.campaign.beacon_schedule import REHEARSAL
from shared.canonical import canonical
from shared.dice_acts import DIGITS, DiceRule
from shared.ids import CampaignId, DrawId
from shared.merkle import root
from shared.receipt_documents import roll_root

SOFTWARE = "kuji/0.1.0"
VERSION = 2
FEWEST_WITNESSES = 2

Staff = tuple[str, ...]
"""Staff id of the person who acted, and the number of the approval. Stored with the draw and never published."""


@dataclass(frozen=True)
class Override:
    """Freeze of an incomplete list: numbers of open applications, the reason, and the roles of the two people."""

    held: int
    undecided: int
    reason: str
    actor: str
    approved_by: str
    staff: Staff = ()


@dataclass(frozen=True)
class Previous:
    """Draw that another corrects or continues: its id, and the SHA-256 (hex) of its manifest or None if it had none.

    `actor` and `approved_by`: roles of the two people.
    """

    draw: str
    manifest_sha256: str | None
    reason: str
    actor: str
    approved_by: str
    staff: Staff = ()


@dataclass(frozen=True)
class Freeze:
    """Circumstances of a freeze."""

    at: datetime
    beacon_round: int
    override: Override | None = None
    number: int = 1
    previous: Previous | None = None
    further: Further | None = None


@dataclass(frozen=True)
class EntryCounts:
    """Counts besides the rows: entries by arrival channel, refused applications by reason."""

    by_channel: dict[str, int]
    refused_by_reason: dict[str, int]


def draw_id(campaign: CampaignId, number: int) -> DrawId:
    """Return the id of a campaign's draw. Draws are numbered from 1; a later one corrects the one before."""
    return DrawId(f"{campaign}-{number}")


def write_manifest(
    campaign: Campaign,
    frozen: FrozenList,
    receipts: Receipts,
    counted: EntryCounts,
    freeze: Freeze,
    vault_key: str | None,
) -> str:
    """Return the manifest as one line of canonical JSON, without line feed.

    `vault_key`: the vault's public key (base64url), which signs the witnesses' acts.
    """
    rule = campaign.draw
    beacon = {**rule.chain.model_dump(exclude_none=True), "round": freeze.beacon_round}
    content: dict[str, Any] = {
        "v": VERSION,
        "draw": draw_id(campaign.id, freeze.number),
        "campaign": campaign.id,
        "campaign_sha256": campaign.sha256,
        "software": SOFTWARE,
        "frozen_at": freeze.at.isoformat(),
        "objections_until": (freeze.at + timedelta(hours=rule.objection_hours)).isoformat(),
        "rows": len(frozen),
        "root": root(leaf_hashes(frozen)).hex(),
        "receipts": vars(receipts),
        "counts": {
            "channel": counted.by_channel,
            "class": frozen.count_by_class(),
            "refused": counted.refused_by_reason,
        },
        "beacon": beacon,
        "dice": {"digits": DIGITS * rule.witnesses, "witnesses": rule.witnesses} if rule.uses_dice else None,
        "vault_key": vault_key if rule.uses_dice else None,
        "override": _public(freeze.override),
        "previous": _public(freeze.previous),
        "rehearsal": campaign.rehearsal,
        **campaign_members(campaign),
    }
    if freeze.further is not None:
        content["further"] = freeze.further.to_member()
    return canonical(content).decode("utf-8")


def receipts_of(roll: str) -> Receipts:
    """Return the commitment to a roll, given as text."""
    return Receipts(roll.count("\n"), roll_root(roll))


def _public(ordered: Override | Previous | None) -> Mapping[str, Any] | None:
    """Return the public members: roles, never ids of staff."""
    if ordered is None:
        return None
    return {name: value for name, value in vars(ordered).items() if name != "staff"}


@dataclass(frozen=True)
class Manifest:
    """Manifest as a draw and a verifier read it. `scope`: who takes part in further rounds."""

    line: str
    draw: str
    campaign: str
    rows: int
    root: str
    receipts: Receipts
    classes: tuple[ClassRule, ...]
    rules: Rules
    scope: Scope
    class_counts: dict[str, int]
    channel_counts: dict[str, int]
    frozen_at: datetime
    objections_until: datetime
    promotion: PromotionRules
    beacon: BeaconRound
    witnesses: int
    vault_key: str | None
    further: Further | None = None

    @property
    def uses_dice(self) -> bool:
        """Whether witnesses enter digits."""
        return self.witnesses > 0

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.line.encode("utf-8")).hexdigest()

    @property
    def dice_rule(self) -> DiceRule:
        """Rule of the witnesses' acts of this draw."""
        return DiceRule(CampaignId(self.campaign), DrawId(self.draw), self.sha256, self.witnesses, self.beacon.at)

    @property
    def drawn_classes(self) -> tuple[ClassRule, ...]:
        """Classes with the seats that are drawn: all of a draw's, in a further round the free ones."""
        if self.further is None:
            return self.classes
        return tuple(replace(rule, capacity=self.further.free.get(rule.id, 0)) for rule in self.classes)

    @property
    def randomness_from(self) -> datetime:
        """Time before which the randomness does not exist: the beacon's round, after the end of objections."""
        return max(self.objections_until, self.beacon.at)

    @classmethod
    def read(cls, line: str) -> "Manifest":
        """Read a manifest. Raises ValueError, KeyError or TypeError unless the line is one in canonical form."""
        content = json.loads(line)
        if canonical(content).decode("utf-8") != line:
            raise ValueError("the manifest is not canonical JSON")
        if content["v"] != VERSION or content["rules"]["groups"] != "skip":
            raise ValueError("the manifest is of a version or rule that this program does not know")
        dice, beacon = content["dice"], content["beacon"]
        if beacon is None:
            raise ValueError("the manifest names no beacon")
        if dice is not None and not (
            dice["witnesses"] >= FEWEST_WITNESSES and dice["digits"] == DIGITS * dice["witnesses"]
        ):
            raise ValueError(f"the manifest does not ask at least two witnesses for {DIGITS} digits each")
        if beacon["chain"] == REHEARSAL and content["rehearsal"] is not True:
            raise ValueError("a draw that is no rehearsal names a rehearsal's beacon, whose owner knows every value")
        return cls(
            line=line,
            draw=content["draw"],
            campaign=content["campaign"],
            rows=content["rows"],
            root=content["root"],
            receipts=Receipts(**content["receipts"]),
            classes=tuple(read_class(member) for member in content["classes"]),
            rules=Rules(content["rules"]["max_wins"], content["rules"]["preferences"]),
            scope=read_scope(content["rules"]),
            class_counts=content["counts"]["class"],
            channel_counts=content["counts"]["channel"],
            frozen_at=datetime.fromisoformat(content["frozen_at"]),
            objections_until=datetime.fromisoformat(content["objections_until"]),
            promotion=read_promotion(content["promotion"]),
            beacon=BeaconRound(**beacon),
            witnesses=0 if dice is None else dice["witnesses"],
            vault_key=content.get("vault_key"),
            further=read_further(content),
        )
