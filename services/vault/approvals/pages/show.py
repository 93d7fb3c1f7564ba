"""Show approvals to one person: lists, one approval with its preview, and the form of a new request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fastapi import Response

from services.vault.approvals.rules.approval import Approval, choose_role
from services.vault.approvals.service import Approvals, RequestRefusedError
from services.vault.approvals.subjects import PreviewText
from services.vault.approvals.views import ApprovalView
from services.vault.people.pages.context import Web
from services.vault.people.refusals import SignInRefusedError
from services.vault.people.sign_in import Present
from shared.approvals import RULES, ApprovalKind
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.ids import CampaignId
from shared.json_types import JsonObject
from shared.staff_roles import Role

_HISTORY: Final = 100


@dataclass(frozen=True)
class Mistake:
    """Reason why a form was not accepted. `key`: of the text; `roles`: those that nobody could fill."""

    key: str
    roles: tuple[frozenset[Role], ...] = ()


def mistake_of(refused: RequestRefusedError | SignInRefusedError) -> Mistake:
    """Return what the page says about a refusal."""
    if isinstance(refused, RequestRefusedError):
        return Mistake(f"approval.wrong.{refused.reason}", refused.roles)
    return Mistake(f"refused.{refused.reason}")


@dataclass(frozen=True)
class ApprovalPages:
    """Parts behind the pages."""

    web: Web
    approvals: Approvals
    campaigns: Mapping[CampaignId, Campaign]

    async def listed(self, texts: Catalogue, present: Present) -> Response:
        """Return what waits for the person, what the person requested, and the history."""
        latest = [ApprovalView.of(one, present.account) for one in await self.approvals.repository.latest(_HISTORY)]
        waiting = await self.approvals.waiting_for(present.account)
        return self.web.page(
            "approvals.html",
            texts,
            "/approve",
            present=present,
            waiting=[ApprovalView.of(one, present.account) for one in waiting],
            mine=[view for view in latest if view.mine and view.is_open],
            history=latest,
            kinds=self._kinds(present),
        )

    async def one(
        self,
        texts: Catalogue,
        present: Present,
        approval_id: str,
        mistake: Mistake | None = None,
        executed: JsonObject | None = None,
    ) -> Response:
        """Return one approval with its preview, and with the executed document where its requester took it."""
        found = await self.approvals.find(approval_id)
        if found is None:
            return self.web.page("no_approval.html", texts, None, status=404, present=present)
        view = ApprovalView.of(found, present.account)
        return self.web.page(
            "approval.html",
            texts,
            f"/approve/{approval_id}",
            status=409 if mistake else 200,
            present=present,
            view=view,
            preview=await self._preview(found),
            wrong=mistake,
            acts_elsewhere=RULES[found.content.kind].executed_by != "vault",
            executed=None if executed is None else json.dumps(executed, ensure_ascii=False),
            data=self._data(texts, found.content.id),
        )

    def new(
        self, texts: Catalogue, present: Present, sent: Mapping[str, str], mistake: Mistake | None = None
    ) -> Response:
        """Return the form of the kind that was chosen, or the kinds that this person may request."""
        kind = next((one for one in ApprovalKind if one.value == sent.get("kind")), None)
        known = kind in self._kinds(present)
        return self.web.page(
            "approval_new.html",
            texts,
            None,
            status=409 if mistake else 200,
            present=present,
            kind=kind if known else None,
            rule=RULES[kind] if kind and known else None,
            kinds=self._kinds(present),
            campaigns=list(self.campaigns.values()),
            sent=sent,
            params=_params(sent),
            wrong=mistake,
            data=self._data(texts, None),
        )

    async def draft(self, present: Present, sent: Mapping[str, str]) -> Approval:
        """Write the request of a form. Raises RequestRefusedError."""
        kind = next((one for one in ApprovalKind if one.value == sent.get("kind")), None)
        if kind is None:
            raise RequestRefusedError("not-here")
        campaign = sent.get("campaign") or None
        known = None if campaign is None else CampaignId(campaign)
        return await self.approvals.draft(present.account, kind, known, _params(sent), sent.get("reason", ""))

    def _kinds(self, present: Present) -> list[ApprovalKind]:
        """Return the kinds that this person may request here or is led here for."""
        roles = present.account.roles
        return [kind for kind in RULES if self.approvals.executes(kind) and choose_role(kind, roles) is not None]

    async def _preview(self, approval: Approval) -> Sequence[PreviewText]:
        make, content = self.approvals.subjects.previews.get(approval.content.kind), approval.content
        if make is None or content.campaign is None or not approval.is_open(datetime.now(UTC)):
            return ()
        return await make(content.campaign, content.params)

    def _data(self, texts: Catalogue, approval_id: str | None) -> JsonObject:
        return {
            "lang": texts.lang,
            "now": datetime.now(UTC).isoformat(),
            "texts": texts.for_the_program(("passkey.failed",)),
            "approval": approval_id,
            "home": f"{texts.prefix}/approve/",
        }


def _params(sent: Mapping[str, str]) -> JsonObject:
    """Return the parameters that another page gave as JSON, or the ward's key of the form itself."""
    if sent.get("recipient"):
        return {"recipient": sent["recipient"].strip()}
    try:
        params = json.loads(sent.get("params") or "{}")
    except ValueError:
        return {}
    return params if isinstance(params, dict) else {}
