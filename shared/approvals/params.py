"""Parameters of each kind of approval: hashes, counts and codes, never a person's data or free text. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.approvals.kinds import ApprovalKind
from shared.canonical import canonical
from shared.errors import KujiError
from shared.ids import BatchIdField, ClassIdField
from shared.json_types import JsonObject

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
StaffId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
AgeKey = Annotated[str, StringConstraints(pattern=r"^age1[0-9a-z]{10,200}$")]


class WrongParamsError(KujiError):
    """Raised when parameters are not those of their kind. The text names members, never their values."""


class _Params(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WardKey(_Params):
    recipient: AgeKey


class ReturnPackage(_Params):
    """`recipient`: the ward's key. `applications`: their number in the vault."""

    recipient: AgeKey
    applications: Count


class Export(_Params):
    content: Code
    sha256: Sha256
    people: Count


class ExportAudit(_Params):
    lines: Count


class EraseCampaign(_Params):
    """`package_sha256`: the return package that the ward confirmed."""

    package_sha256: Sha256
    applications: Count


class PrintPdf(_Params):
    """`sha256`: of the canonical list of the batch's notices."""

    batch: BatchIdField
    cards: Count
    sha256: Sha256


class OpenPeople(_Params):
    purpose: Code
    people: Count
    sha256: Sha256


class TemplateVersion(_Params):
    kind: Code
    channel: Code
    sha256: Sha256


class ReleaseTemplates(_Params):
    templates: Annotated[tuple[TemplateVersion, ...], Field(min_length=1, max_length=100)]


class ReleaseNotices(_Params):
    """`sha256`: of the canonical JSON of `{kind, class_id, params}`. `again`: an equal one was made before."""

    kind: Code
    class_id: ClassIdField | None
    sha256: Sha256
    again: bool


class FreezeIncomplete(_Params):
    draw: Count
    held: Count
    undecided: Count


class Redraw(_Params):
    """`state_sha256`: of the canonical JSON of `{draw, state, manifest, dice, beacon_signature}`, as they are now."""

    draw: Count
    state_sha256: Sha256
    reopen: bool


class LaterRound(_Params):
    """`known_round`: the round that is known, or for which digits are missing. The later one follows from a rule."""

    draw: Count
    known_round: Count


class FurtherRound(_Params):
    """`state_sha256`: of the canonical JSON of `{draw, last_event, free, scope}`, as they are now.

    `draw`: number of the draw whose seats stayed free; `classes` and `seats`: that are drawn; `scope`: who takes part.
    """

    draw: Count
    state_sha256: Sha256
    classes: Count
    seats: Count
    scope: Code


class CorrectPlace(_Params):
    """`correction_sha256`: of the canonical JSON of `{draw, receipt, choices: [{class_id, seats}]}`."""

    correction_sha256: Sha256
    classes: Count
    seats: Count


class ChangeRoster(_Params):
    """`proposal_sha256`: of the canonical JSON of the account as it shall be; of `{}` where the account ends."""

    account: StaffId
    change: Code
    proposal_sha256: Sha256


class ResetFactors(_Params):
    account: StaffId


class OpenAuditLog(_Params):
    """`epoch`: number of the log that was cut. `checkpoint_sha256`: of its last checkpoint, the whole note."""

    epoch: Count
    checkpoint_sha256: Sha256


_MODELS: Final[Mapping[ApprovalKind, type[_Params]]] = {
    ApprovalKind.WARD_KEY: WardKey,
    ApprovalKind.RETURN_PACKAGE: ReturnPackage,
    ApprovalKind.EXPORT: Export,
    ApprovalKind.EXPORT_AUDIT: ExportAudit,
    ApprovalKind.ERASE_CAMPAIGN: EraseCampaign,
    ApprovalKind.PRINT_PDF: PrintPdf,
    ApprovalKind.OPEN_PEOPLE: OpenPeople,
    ApprovalKind.RELEASE_TEMPLATES: ReleaseTemplates,
    ApprovalKind.RELEASE_NOTICES: ReleaseNotices,
    ApprovalKind.FREEZE_INCOMPLETE: FreezeIncomplete,
    ApprovalKind.REDRAW: Redraw,
    ApprovalKind.LATER_ROUND: LaterRound,
    ApprovalKind.FURTHER_ROUND: FurtherRound,
    ApprovalKind.CORRECT_PLACE: CorrectPlace,
    ApprovalKind.CHANGE_ROSTER: ChangeRoster,
    ApprovalKind.RESET_FACTORS: ResetFactors,
    ApprovalKind.OPEN_AUDIT_LOG: OpenAuditLog,
}


def check_params(kind: ApprovalKind, params: Mapping[str, object]) -> JsonObject:
    """Return the parameters as JSON. Raises WrongParamsError where one is missing, unknown or of another form."""
    try:
        return _MODELS[kind].model_validate(params).model_dump(mode="json")
    except ValidationError as error:
        members = sorted({".".join(map(str, mistake["loc"])) for mistake in error.errors()})
        raise WrongParamsError(f"{kind}: {', '.join(members)}") from None


def announcement_params(kind: str, class_id: str | None, params: Mapping[str, object], *, again: bool) -> JsonObject:
    """Return the parameters of an approval for an announcement."""
    text = canonical({"kind": kind, "class_id": class_id, "params": dict(params)})
    return {"kind": kind, "class_id": class_id, "sha256": hashlib.sha256(text).hexdigest(), "again": again}


def redraw_params(number: int, state: Mapping[str, object], *, reopen: bool) -> JsonObject:
    """Return the parameters of an approval to give a draw up. `state`: what the draw has become so far."""
    return {"draw": number, "state_sha256": hashlib.sha256(canonical(dict(state))).hexdigest(), "reopen": reopen}


def further_round_params(number: int, state: Mapping[str, object], free: Mapping[str, int], scope: str) -> JsonObject:
    """Return the parameters of an approval to open a further round. `free`: seats that it draws, by class."""
    digest = hashlib.sha256(canonical(dict(state))).hexdigest()
    return {
        "draw": number, "state_sha256": digest, "classes": len(free), "seats": sum(free.values()), "scope": scope
    }  # fmt: skip


def correction_params(draw: str, receipt: str, choices: Sequence[tuple[str, int]]) -> JsonObject:
    """Return the parameters of an approval to correct a wrong refusal. `choices`: class and seats, in order."""
    listed = [{"class_id": class_id, "seats": seats} for class_id, seats in choices]
    text = canonical({"draw": draw, "receipt": receipt, "choices": listed})
    seats = sum(seats for _, seats in choices)
    return {"correction_sha256": hashlib.sha256(text).hexdigest(), "classes": len(choices), "seats": seats}
