"""Pages on which a handler finds a person and opens the application, for a purpose chosen before (R-C7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from services.vault.keys.keystore import Keystore
from services.vault.people.pages.context import Web
from services.vault.people.sign_in import Present
from services.vault.telephone.person_file import PersonFile, PersonFiles
from services.vault.telephone.rules.acts import REASONS, DeskAct, acts_at
from services.vault.telephone.rules.again import keys_of
from services.vault.telephone.rules.purposes import DeskPurpose, parse_purpose
from services.vault.telephone.rules.query import FIELDS, PersonQuery, QueryError
from services.vault.telephone.search import MOST_PAGES, PAGE, Caller, PersonSearch, SearchResult
from shared.campaign import Campaign
from shared.catalogue import Catalogue
from shared.clock import Clock
from shared.ids import ApplicationId, CampaignId
from shared.staff_roles import Right
from shared.web.forms import form_fields

Sent = Annotated[dict[str, str], Depends(form_fields)]

PATH: Final = "/desk/applicants"
_WRONG: Final = 422


@dataclass(frozen=True)
class TelephonePages:
    """Parts behind the pages. `others`: origins of the services whose own pages a person's page leads to."""

    web: Web
    keystore: Keystore
    campaigns: Mapping[CampaignId, Campaign]
    search: PersonSearch
    files: PersonFiles
    clock: Clock

    def form(
        self,
        texts: Catalogue,
        present: Present,
        sent: Mapping[str, str],
        *,
        result: SearchResult | None = None,
        wrong: str | None = None,
    ) -> Response:
        """Return the search page, with a result or with what is wrong."""
        return self.web.page(
            "applicants.html",
            texts,
            PATH,
            status=_WRONG if wrong else 200,
            present=present,
            purposes=tuple(DeskPurpose),
            campaigns=self.open_campaigns(),
            sent={name: sent.get(name, "") for name in (*FIELDS, "purpose", "campaign")},
            result=result,
            wrong=wrong,
            most=PAGE * MOST_PAGES,
        )

    def open_campaigns(self) -> list[Campaign]:
        """Return the campaigns whose key was not destroyed."""
        return [one for one in self.campaigns.values() if not self.keystore.fingerprint_of_destroyed(one.id)]

    async def found(self, texts: Catalogue, present: Present, sent: Mapping[str, str]) -> Response:
        """Search, and return the page with the masked people."""
        purpose, campaign = parse_purpose(sent.get("purpose", "")), self._campaign(sent)
        if purpose is None:
            return self.form(texts, present, sent, wrong="telephone.wrong.purpose")
        if campaign is None:
            return self.form(texts, present, sent, wrong="telephone.wrong.campaign")
        try:
            query = PersonQuery.parse(sent)
        except QueryError as refused:
            return self.form(texts, present, sent, wrong=f"telephone.wrong.{refused.field or 'empty'}")
        page = int(sent["page"]) if sent.get("page", "") in {str(one) for one in range(1, MOST_PAGES + 1)} else 1
        result = await self.search.search(Caller(present.account, purpose), campaign.id, query, page)
        return self.form(texts, present, sent, result=result)

    def _campaign(self, sent: Mapping[str, str]) -> Campaign | None:
        campaigns = self.open_campaigns()
        if len(campaigns) == 1 and not sent.get("campaign"):
            return campaigns[0]
        return next((one for one in campaigns if one.id == sent.get("campaign")), None)

    async def opened(
        self, texts: Catalogue, present: Present, application_id: str, purpose: str, **more: Any
    ) -> Response:
        """Return the page of one person; without a purpose nothing is opened."""
        chosen = parse_purpose(purpose)
        if chosen is None:
            return self.form(texts, present, {}, wrong="telephone.wrong.purpose")
        file = await self.files.open(Caller(present.account, chosen), ApplicationId(application_id))
        if file is None:
            return self.web.page("applicant_missing.html", texts, None, status=404, present=present)
        return self._page(texts, present, file, chosen, **more)

    def _page(
        self,
        texts: Catalogue,
        present: Present,
        file: PersonFile,
        purpose: DeskPurpose,
        *,
        status: int = 200,
        wrong: str | None = None,
    ) -> Response:
        return self.web.page(
            "applicant.html",
            texts,
            None,
            status=status,
            present=present,
            file=file,
            purpose=purpose,
            wrong=wrong,
            asked=keys_of([one for one in file.notices if not one.bulk]),
            ask_acts=(DeskAct.MAIL, DeskAct.CARD) if file.application.contact == "mail" else (DeskAct.CARD,),
            ask_reasons=tuple(dict.fromkeys((*REASONS[DeskAct.MAIL], *REASONS[DeskAct.CARD]))),
            others=self.web.others,
            acts=() if file.person is None else acts_at(file.campaign.window, self.clock.now()),
            titles={one.id: one.title for one in file.campaign.classes},
        )


def telephone_router(pages: TelephonePages, texts: Catalogue) -> APIRouter:
    """Route the pages of one language."""
    router, web = APIRouter(prefix=PATH), pages.web

    @router.get("", response_model=None)
    async def form(request: Request) -> Response:
        async def show(present: Present) -> Response:
            return pages.form(texts, present, {"purpose": request.query_params.get("purpose", "")})

        return await web.shown_to(request, texts, show, Right.OPEN_PEOPLE)

    @router.post("", response_model=None)
    async def search(request: Request, sent: Sent) -> Response:
        await web.require(request)
        return await web.shown_to(request, texts, lambda present: pages.found(texts, present, sent), Right.OPEN_PEOPLE)

    @router.get("/{application_id}/{purpose}", response_model=None)
    async def opened(request: Request, application_id: str, purpose: str) -> Response:
        return await web.shown_to(
            request, texts, lambda present: pages.opened(texts, present, application_id, purpose), Right.OPEN_PEOPLE
        )

    return router
