"""Connect the vault's own kinds with the parts that act: parameters of this moment, and previews."""

from services.vault.approvals.subjects import PreviewText, Subjects
from services.vault.audit import AuditLog, NotCutError
from services.vault.closeout.wiring import CloseOut
from services.vault.notices.released import NotReleasableError, ReleasedTemplates, TemplateName
from services.vault.printroom.open_batches import PrintedBatches
from shared.approvals import ApprovalKind, WrongParamsError
from shared.ids import CampaignId
from shared.json_types import JsonObject


def vault_subjects(
    closing: CloseOut, templates: ReleasedTemplates, printed: PrintedBatches, audit: AuditLog
) -> Subjects:
    """Return the functions of all kinds that the vault executes."""

    async def templates_now(campaign: CampaignId | None, sent: JsonObject) -> JsonObject:
        try:
            return await templates.params(CampaignId(str(campaign)), _names(sent))
        except NotReleasableError as refusal:
            raise WrongParamsError(refusal.code) from None

    async def new_log_now(_: CampaignId | None, __: JsonObject) -> JsonObject:
        try:
            return audit.new_log_params()
        except NotCutError:
            raise WrongParamsError("epoch") from None

    async def previews(campaign: CampaignId, params: JsonObject) -> list[PreviewText]:
        shown = [await _texts(templates, campaign, name) for name in _names(params) or ()]
        return [text for texts in shown for text in texts]

    return Subjects(
        {
            ApprovalKind.WARD_KEY: closing.ward_key_params,
            ApprovalKind.RETURN_PACKAGE: closing.return_params,
            ApprovalKind.ERASE_CAMPAIGN: closing.erasure_params,
            ApprovalKind.RELEASE_TEMPLATES: templates_now,
            ApprovalKind.PRINT_PDF: printed.params,
            ApprovalKind.OPEN_AUDIT_LOG: new_log_now,
        },
        {ApprovalKind.RELEASE_TEMPLATES: previews},
    )


async def _texts(templates: ReleasedTemplates, campaign: CampaignId, name: TemplateName) -> list[PreviewText]:
    """Return the texts for invented applicants; none where the file has changed into one with mistakes."""
    kind, channel = name
    try:
        found = await templates.preview(campaign, kind, channel)
    except NotReleasableError:
        return []
    title = f"{kind} / {channel}: "
    return [PreviewText(title + sample.title, sample.subject, sample.text) for sample in found.samples]


def _names(sent: JsonObject) -> list[TemplateName] | None:
    """Return the templates that are named; None where none are, which means all that are not released."""
    named = sent.get("templates")
    if named is None:
        return None
    try:
        return [(str(one["kind"]), one["channel"]) for one in named]
    except (TypeError, KeyError):
        raise WrongParamsError("templates") from None
