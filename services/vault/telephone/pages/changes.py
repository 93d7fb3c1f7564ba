"""Pages on which a handler corrects or withdraws an application for its applicant, or changes a contact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from services.vault.telephone.changes import ApplicationChanges, ChangeRefusedError, SealedVersion
from services.vault.telephone.pages.site import PATH, TelephonePages
from services.vault.telephone.rules.acts import REASONS, ActReason, DeskAct, acts_at, parse_reason
from services.vault.telephone.rules.change_form import class_lines, fields_of
from services.vault.telephone.rules.purposes import DeskPurpose, parse_purpose
from services.vault.telephone.search import Caller
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import ApplicationId
from shared.staff_roles import Right
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

_WRONG: Final = 422
_PROGRAM: Final = ("send.",)


@dataclass(frozen=True)
class Target:
    """Application and purpose that the address of a form names, and the act."""

    application_id: ApplicationId
    purpose: DeskPurpose
    act: DeskAct

    @property
    def path(self) -> str:
        """Address of the person's page, without the language's prefix."""
        return f"{PATH}/{self.application_id}/{self.purpose}"


def _target(application_id: str, purpose: str, act: str) -> Target | None:
    chosen = parse_purpose(purpose)
    known = act in {DeskAct.CORRECT, DeskAct.WITHDRAW, DeskAct.CONTACT}
    return Target(ApplicationId(application_id), chosen, DeskAct(act)) if chosen and known else None


@dataclass(frozen=True)
class ChangePages:
    """Parts behind the forms."""

    pages: TelephonePages
    changes: ApplicationChanges
    clock: Clock

    @property
    def web(self) -> Web:
        return self.pages.web

    async def form(
        self,
        texts: Catalogue,
        present: Present,
        target: Target,
        sent: Mapping[str, str] | None = None,
        wrong: str | None = None,
    ) -> Response:
        """Return the form, filled in with the person as stored; opening it is an audit line."""
        file = await self.pages.files.open(Caller(present.account, target.purpose), target.application_id)
        if file is None or file.person is None:
            return self.web.page("applicant_missing.html", texts, None, status=404, present=present)
        if target.act not in acts_at(file.campaign.window, self.clock.now()):
            wrong = "telephone.wrong.not-now"
        return self.web.page(
            "applicant_change.html",
            texts,
            None,
            status=_WRONG if wrong else 200,
            present=present,
            file=file,
            target=target,
            reasons=REASONS[target.act],
            fields={**fields_of(file.person), **(sent or {})},
            lines=class_lines(file.campaign, file.application.choices, sent),
            classes={one.id: one for one in file.campaign.classes},
            wrong=wrong,
        )

    async def change(self, texts: Catalogue, present: Present, target: Target, sent: Mapping[str, str]) -> Response:
        """Carry the act out; a sealed version is posted by the page that this returns."""
        reason = parse_reason(target.act, sent.get("reason", ""))
        if reason is None:
            return await self.form(texts, present, target, sent, "telephone.wrong.reason")
        try:
            sealed = await self._carry_out(Caller(present.account, target.purpose), target, reason, sent)
        except ChangeRefusedError as refused:
            return await self.form(texts, present, target, sent, f"telephone.wrong.{refused.reason}")
        if sealed is None:
            return self.web.to(f"{texts.prefix}{target.path}")
        return self._sending(texts, present, target, sealed)

    async def _carry_out(
        self, caller: Caller, target: Target, reason: ActReason, sent: Mapping[str, str]
    ) -> SealedVersion | None:
        match target.act:
            case DeskAct.CORRECT:
                return await self.changes.correct(caller, target.application_id, reason, sent)
            case DeskAct.WITHDRAW:
                return await self.changes.withdraw(caller, target.application_id, reason)
            case _:
                await self.changes.change_contact(caller, target.application_id, reason, sent)
                return None

    def _sending(self, texts: Catalogue, present: Present, target: Target, sealed: SealedVersion) -> Response:
        """Return the page whose program posts the sealed version to intake."""
        intake = self.web.others["intake"].text
        data = {
            "lang": texts.lang,
            "now": self.clock.now().isoformat(),
            "texts": texts.for_the_program(_PROGRAM),
            "url": f"{intake}/v1/applications/{sealed.application_id}/versions",
            "body": sealed.body,
        }
        return self.web.page(
            "applicant_send.html",
            texts,
            None,
            connect=[intake],
            present=present,
            target=target,
            version=sealed.version,
            data=data,
        )


def changes_router(changes: ChangePages, texts: Catalogue) -> APIRouter:
    """Route the forms of one language."""
    router, web = APIRouter(prefix=f"{PATH}/{{application_id}}/{{purpose}}"), changes.web

    @router.get("/{act}", response_model=None)
    async def form(request: Request, application_id: str, purpose: str, act: str) -> Response:
        async def show(present: Present) -> Response:
            target = _target(application_id, purpose, act)
            if target is None:
                return changes.pages.form(texts, present, {}, wrong="telephone.wrong.purpose")
            return await changes.form(texts, present, target)

        return await web.shown_to(request, texts, show, Right.OPEN_PEOPLE)

    @router.post("/{act}", response_model=None)
    async def change(request: Request, application_id: str, purpose: str, act: str, sent: Sent) -> Response:
        await web.require(request)

        async def show(present: Present) -> Response:
            target = _target(application_id, purpose, act)
            if target is None:
                return changes.pages.form(texts, present, {}, wrong="telephone.wrong.purpose")
            return await changes.change(texts, present, target, sent)

        return await web.shown_to(request, texts, show, Right.OPEN_PEOPLE)

    return router
