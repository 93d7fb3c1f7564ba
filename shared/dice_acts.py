"""Digits that witnesses entered before a beacon's round, as acts signed by the vault (`docs/spec/draw-2.md` §5). Pure.

An act names draw and manifest, so that it serves for one list only. Its time is earlier than the round by a margin: the
last witness to move cannot know the value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.canonical import canonical
from shared.errors import KujiError
from shared.ids import CampaignId, CampaignIdField, DrawId
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context

ACT_CONTEXT: Final = "kuji/act/2"
DIGITS: Final = 20
"""Digits that each witness enters."""

MARGIN: Final = timedelta(seconds=30)
"""Shortest time between an act and the round."""

DiceRole = Literal["ward", "auditor", "responsible"]


class InvalidDiceActsError(KujiError):
    """Raised when acts are not those of a draw; the text says which rule they break."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Params(_Part):
    draw: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,80}$")]
    manifest_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    digits: Annotated[str, StringConstraints(pattern=r"^[0-9]{20}$")]


class DiceAct(_Part):
    """Form of an act of the kind `dice`. `at`: on the campaign's clock.

    The last character of the signature has four bits that must be zero, so that a signature has one form.
    """

    v: Literal[2]
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
    kind: Literal["dice"]
    campaign: CampaignIdField
    params: _Params
    role: DiceRole
    at: AwareDatetime
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    signature: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{85}[AQgw]$")]


@dataclass(frozen=True)
class DiceRule:
    """Draw that the acts belong to. `manifest_sha256`: of the manifest's line; `round_at`: time of its round."""

    campaign: CampaignId
    draw: DrawId
    manifest_sha256: str
    witnesses: int
    round_at: datetime

    @property
    def latest(self) -> datetime:
        """Latest time of an act."""
        return self.round_at - MARGIN


def write_dice_act(
    key: SigningKey, act_id: str, rule: DiceRule, digits: str, role: DiceRole, at: datetime
) -> JsonObject:
    """Return the act of one witness, signed by the vault. Raises InvalidDiceActsError for wrong digits or times."""
    document = {
        "v": 2,
        "id": act_id,
        "kind": "dice",
        "campaign": rule.campaign,
        "params": {"draw": rule.draw, "manifest_sha256": rule.manifest_sha256, "digits": digits},
        "role": role,
        "at": at.isoformat(),
    }
    signed = key.sign_in_context(ACT_CONTEXT, document)
    check_act(key.public, signed, rule)
    return signed


def check_act(vault_key: str, document: Mapping[str, Any], rule: DiceRule) -> DiceAct:
    """Return the act if it is one of this draw, in time and signed by the vault. Raises InvalidDiceActsError."""
    act = read_act(document)
    if not verify_in_context(vault_key, ACT_CONTEXT, document):
        raise InvalidDiceActsError(f"act {act.id} is not signed by the vault")
    if (act.campaign, act.params.draw, act.params.manifest_sha256) != (rule.campaign, rule.draw, rule.manifest_sha256):
        raise InvalidDiceActsError(f"act {act.id} belongs to another draw or manifest")
    if act.at > rule.latest:
        raise InvalidDiceActsError(f"act {act.id} came later than {MARGIN.seconds} seconds before the round")
    return act


def in_order(acts: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the acts in the order of their digits: by time, then id."""
    return sorted(acts, key=lambda act: (datetime.fromisoformat(act["at"]), act["id"]))


def read_dice(vault_key: str, acts: Sequence[Mapping[str, Any]], rule: DiceRule) -> str:
    """Return the digits of all witnesses in the order of the acts. Raises InvalidDiceActsError.

    `vault_key`: the vault's public key (base64url). The acts stand in the order of time, then id.
    """
    read = [check_act(vault_key, act, rule) for act in acts]
    if len({act.id for act in read}) != rule.witnesses or len(read) != rule.witnesses:
        raise InvalidDiceActsError(f"{rule.witnesses} different acts are needed, there are {len(read)}")
    if read != sorted(read, key=lambda act: (act.at, act.id)):
        raise InvalidDiceActsError("the acts do not stand in the order of their times")
    return "".join(act.params.digits for act in read)


def read_act(document: Mapping[str, Any]) -> DiceAct:
    """Return the act of a document. Raises InvalidDiceActsError for another form; the signature is not looked at."""
    try:
        return DiceAct.model_validate_json(canonical(document), strict=True)
    except (ValidationError, ValueError):
        raise InvalidDiceActsError("an act does not have the form of one") from None
