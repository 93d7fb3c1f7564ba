"""The form with which a handler asks for a notice once more."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.people.sign_in import Present
from services.vault.telephone.asking import NoticeRequests
from services.vault.telephone.changes import ChangeRefusedError
from services.vault.telephone.pages.site import PATH, TelephonePages
from services.vault.telephone.rules.acts import DeskAct, parse_reason
from services.vault.telephone.rules.again import NoticeKey
from services.vault.telephone.rules.purposes import parse_purpose
from services.vault.telephone.search import Caller
from shared.catalogue import Catalogue
from shared.ids import ApplicationId
from shared.staff_roles import Right
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

_WRONG: Final = 422


@dataclass(frozen=True)
class NoticePages:
    """Parts behind the form."""

    pages: TelephonePages
    requests: NoticeRequests

    async def ask(
        self, texts: Catalogue, present: Present, application_id: str, purpose: str, sent: dict[str, str]
    ) -> Response:
        """Ask for the notice, and lead back to the person's page; or show that page with what is wrong."""
        chosen, notice = parse_purpose(purpose), NoticeKey.parse(sent.get("notice", ""))
        act = next((one for one in (DeskAct.MAIL, DeskAct.CARD) if one == sent.get("act")), None)
        reason = None if act is None else parse_reason(act, sent.get("reason", ""))
        if chosen is None:
            return self.pages.form(texts, present, {}, wrong="telephone.wrong.purpose")
        wrong = None
        if notice is None or act is None or reason is None:
            wrong = "telephone.wrong.reason"
        else:
            try:
                caller = Caller(present.account, chosen)
                await self.requests.ask(caller, ApplicationId(application_id), notice, act, reason)
            except ChangeRefusedError as refused:
                wrong = f"telephone.wrong.{refused.reason}"
        if wrong is None:
            return self.pages.web.to(f"{texts.prefix}{PATH}/{application_id}/{purpose}")
        return await self.pages.opened(texts, present, application_id, purpose, status=_WRONG, wrong=wrong)


def asking_router(asking: NoticePages, texts: Catalogue) -> APIRouter:
    """Route the form of one language."""
    router, web = APIRouter(prefix=f"{PATH}/{{application_id}}/{{purpose}}/notices"), asking.pages.web

    @router.post("", response_model=None)
    async def ask(request: Request, application_id: str, purpose: str, sent: Sent) -> Response:
        await web.require(request)

        async def show(present: Present) -> Response:
            return await asking.ask(texts, present, application_id, purpose, sent)

        return await web.shown_to(request, texts, show, Right.OPEN_PEOPLE)

    return router
