"""A walk over all routes with which staff change something: each leaves a line in the audit log, or says why not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.contracts import SERVICES, STAFF_ACTS, ActOfStaff, StaffAct, StaffActed
from shared.ids import CampaignId
from tests.support.all_routes import asking, staff_routes

_CAMPAIGN = "POST /v1/campaigns/{campaign}"
_PARKED = {
    "POST /v1/parked/{parked_id}/replay": {StaffAct.REPLAY_PARKED},
    "DELETE /v1/parked/{parked_id}": {StaffAct.DISCARD_PARKED},
    "POST /v1/untrusted/discard": {StaffAct.DISCARD_UNTRUSTED},
}
_BATCH = f"{_CAMPAIGN}/print-batches/{{batch_id}}"

ACTS: dict[str, dict[str, set[StaffAct]]] = {
    "intake": _PARKED,
    "lottery": {
        **_PARKED,
        f"{_CAMPAIGN}/freeze": {StaffAct.FREEZE_LIST},
        f"{_CAMPAIGN}/evidence": {StaffAct.ATTACH_EVIDENCE},
        f"{_CAMPAIGN}/later-round": {StaffAct.LATER_ROUND},
        f"{_CAMPAIGN}/beacon": {StaffAct.ENTER_BEACON},
        f"{_CAMPAIGN}/redraw": {StaffAct.REDRAW},
        f"{_CAMPAIGN}/further-round": {StaffAct.OPEN_FURTHER_ROUND},
        f"{_CAMPAIGN}/stamps": {StaffAct.ATTACH_STAMP},
        f"{_CAMPAIGN}/places/answers": {
            StaffAct.ACCEPT_PLACE, StaffAct.DECLINE_PLACE, StaffAct.WITHDRAW_PLACE, StaffAct.GIVE_FREE_PLACE,
        },
        f"{_CAMPAIGN}/places/corrections": {StaffAct.CORRECT_PLACE},
        f"{_CAMPAIGN}/reception/scans": {StaffAct.USE_DEVICE},
        f"{_CAMPAIGN}/reception/devices/{{device}}/set-aside": {StaffAct.SET_DEVICE_ASIDE},
    },
    "notifier": {
        **_PARKED,
        f"{_CAMPAIGN}/announcements": {StaffAct.ANNOUNCE},
        f"{_CAMPAIGN}/notices/{{notice_id}}/resolve": {
            StaffAct.CONFIRM_NOTICE_SENT, StaffAct.SEND_NOTICE_BY_POST, StaffAct.CONFIRM_TELEPHONED,
            StaffAct.SEND_NOTICE_AGAIN,
        },
        "POST /notices/{campaign}/telephone/{notice}": {StaffAct.CONFIRM_TELEPHONED},
        f"{_BATCH}/fetches": {StaffAct.FETCH_CARDS},
        f"{_BATCH}/counts": {StaffAct.COUNT_CARDS},
        f"{_BATCH}/posting": {StaffAct.POST_CARDS},
        f"{_BATCH}/reorder": {StaffAct.REORDER_CARDS},
        f"{_CAMPAIGN}/returns": {StaffAct.RECORD_RETURNED_CARD},
    },
}  # fmt: skip

READS: dict[str, dict[str, StaffAct]] = {
    "lottery": {"GET /draws/{campaign}/receipts/{receipt}": StaffAct.READ_RESULTS},
    "notifier": {"GET /notices/{campaign}/receipts/{receipt}": StaffAct.READ_NOTICES},
}
"""Routes on which staff read what became of one application; the vault's own write a line for each person shown."""

OF_ONE_APPLICATION = ("{receipt}", "{entry}", "{application_id}", "{token}", "{notice_id}")

_SIGNED = "approval: `request`, `approve`, `refuse`, `withdraw`"
_EXECUTED = "`execute` of its approval, and the act's own line"
_PERSON = "POST /desk/applicants/{application_id}/{purpose}"

VAULT: dict[str, str] = {
    **dict.fromkeys(_PARKED, "`replay-parked` and so on, before the act"),
    "POST /approve/new": f"a draft; {_SIGNED}",
    "POST /approve/{approval_id}/sign": _SIGNED,
    "POST /approve/{approval_id}/refuse": _SIGNED,
    "POST /approve/{approval_id}/document": "`execute`",
    f"{_CAMPAIGN}/dice/{{draw}}": "`enter-dice`, in the transaction of the act",
    "POST /desk/dice/{campaign}": "`enter-dice`, in the transaction of the act",
    "POST /v1/approvals": f"a draft; {_SIGNED}",
    "POST /v1/approvals/{approval_id}/challenge": "makes numbers to sign; the signature has its line",
    "POST /v1/approvals/{approval_id}/signatures": _SIGNED,
    "POST /v1/approvals/{approval_id}/refusal": _SIGNED,
    "POST /v1/approvals/{approval_id}/document": "`execute`",
    "POST /desk/me/passkeys/options": "makes numbers to sign; `add-passkey` is the act",
    "POST /desk/me/passkeys": "`add-passkey`",
    "POST /desk/me/passkeys/delete": "`delete-passkey`",
    "POST /desk/me/password": "`change-password`",
    "POST /desk/me/sessions/end": "`end-own-session`",
    "POST /desk/terminal": "shows a code; `sign-in` by `terminal` is the act",
    "POST /desk/people/requests": "`request-…`",
    "POST /desk/people/requests/{request_id}/approve": "`approved-…`",
    "POST /desk/people/requests/{request_id}/refuse": "`refused-…`",
    "POST /desk/people/sessions/end": "`end-sessions`",
    "POST /desk/doubts/{campaign}/{one}/{other}": "`review:same-person`, `review:two-people` or `review:household`",
    "POST /desk/doubts/{campaign}/{one}/{other}/undo": "`review:undo`, for each of the two",
    "POST /desk/doubts/{campaign}/{one}": "`review:accept` or `review:reject`",
    "POST /desk/papers/quality/{campaign}/seeded/{paper}/delete": "`delete-seeded-paper`, before it is deleted",
    "POST /desk/applicants": "`search-scan:…` or `search-number:…`, and `reveal:list-…` for each person shown",
    "POST /desk/applicants/{application_id}/rights/requests": "`request-…:received`",
    "POST /desk/requests/{request_id}": "`request-…:granted` and so on, with the reason of a refusal",
    "POST /desk/requests/{request_id}/erasure": "`person-erasure:…`, with the order and with its end",
    f"{_PERSON}/notices": "`send-again-…` or `send-card-…` with the reason, before the notifier is asked",
    f"{_PERSON}/{{act}}": "`reveal:correct-…`, `reveal:withdraw-…` or `reveal:contact-…` with the reason",
    "POST /v1/people/first": "`invite`, by the set-up token",
    f"{_CAMPAIGN}/erasure": _EXECUTED,
    f"{_CAMPAIGN}/held/{{application_id}}": "the verdict, by `review`",
    f"{_CAMPAIGN}/notice-templates/releases": _EXECUTED,
    f"{_CAMPAIGN}/papers/next": "`show-paper`, before the paper is handed out",
    f"{_CAMPAIGN}/papers/{{paper_id}}": "`key-paper:…`, and the settlement with whose word it is",
    f"{_CAMPAIGN}/papers/{{paper_id}}/return": "`return-paper`",
    f"{_CAMPAIGN}/seeded-papers": "`seed-paper`",
    f"{_BATCH}/pdf": _EXECUTED,
    f"{_CAMPAIGN}/return-confirmation": "`confirm-return`",
    f"{_CAMPAIGN}/return-package": _EXECUTED,
    f"{_CAMPAIGN}/ward-key": "`execute` of its approval",
    "POST /v1/lock": "`lock`",
    "POST /v1/audit/logs": "`execute` of its approval, and the first line of the new log",
}
"""Routes of the vault, which writes into its log itself, with the line of each."""

NOT_BY_STAFF = {f"{_CAMPAIGN}/papers"}
"""Routes of other programs: the edge tools with the paper token."""


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_with_which_staff_change_something_names_its_audit_line(service: str, tmp_path: Path) -> None:
    async with asking(service, tmp_path) as (app, _):
        changing = {route.name for route in staff_routes(service, app) if route.method != "GET"} - NOT_BY_STAFF
    assert changing == set(ACTS.get(service, VAULT))


@pytest.mark.parametrize("service", sorted(ACTS))
async def test_every_route_on_which_staff_read_of_one_application_names_its_act(service: str, tmp_path: Path) -> None:
    async with asking(service, tmp_path) as (app, _):
        reading = {route.name for route in staff_routes(service, app) if route.method == "GET"}
    assert {name for name in reading if any(part in name for part in OF_ONE_APPLICATION)} == set(READS.get(service, {}))


def test_the_acts_of_a_service_are_those_of_its_routes() -> None:
    assert {
        service: set[StaffAct]().union(*routes.values(), READS.get(service, {}).values())
        for service, routes in ACTS.items()
    } == STAFF_ACTS


@pytest.mark.parametrize(
    ("service", "act", "campaign"),
    [("notifier", StaffAct.ENTER_BEACON, "777-days"), ("lottery", StaffAct.ENTER_BEACON, None)],
)
def test_a_service_reports_its_own_acts_only_and_names_their_campaign(
    service: str, act: StaffAct, campaign: str | None
) -> None:
    item = ActOfStaff(sub="yamada-01", act=act, case="d-1", at=datetime(2018, 6, 1, tzinfo=UTC))
    with pytest.raises(ValidationError):
        StaffActed.model_validate({"service": service, "campaign": campaign and CampaignId(campaign), "items": (item,)})
