"""Witnesses enter their digits at the vault: once each, in time, in their own names, and never for another."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from services.vault.dice.repository import ACTS
from shared.contracts import DiceEntered, DiceRequested
from shared.dice_acts import DiceRule, read_dice
from shared.ids import CampaignId, DrawId
from shared.staff_roles import Role
from shared.storage import OUTBOX
from tests.support.people_harness import DAY, PeopleHarness, running
from tests.support.people_harness import VAULT as VAULT_PAGES
from tests.support.staff_sign_in import sign_in_at_vault

CAMPAIGN, DRAW = CampaignId("777-days"), DrawId("777-days-1")
ROUND_AT = DAY + timedelta(minutes=30)
RULE = DiceRule(CAMPAIGN, DRAW, "ab" * 32, 2, ROUND_AT)
PATH = f"/v1/campaigns/{CAMPAIGN}/dice"
ONE, OTHER = "1" * 20, "2" * 20


def request(number: int = 1, **changed: Any) -> DiceRequested:
    asked = {"campaign": CAMPAIGN, "draw": f"{CAMPAIGN}-{number}", "number": number, "manifest_sha256": "ab" * 32}
    times = {"opens": DAY, "round_at": ROUND_AT, "witnesses": 2}
    return DiceRequested.model_validate({**asked, **times, **changed})


@asynccontextmanager
async def vault_asked(mongo_url: str, namespace: str, folder: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, folder) as vault:
        await ask(vault, request(), request())
        yield vault


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with vault_asked(mongo_url, namespace, tmp_path) as asked:
        yield asked


async def ask(vault: PeopleHarness, *events: DiceRequested) -> None:
    await vault.store.transact(lambda uow: vault.dice.service.on_requested(events, uow))


async def person(vault: PeopleHarness, staff_id: str, *roles: Role) -> AsyncClient:
    browser = vault.browser()
    browser.headers.update(await sign_in_at_vault(vault.store, vault.keystore, staff_id, roles, VAULT_PAGES))
    return browser


async def enter(browser: AsyncClient, digits: str, draw: str = DRAW) -> Response:
    return await browser.post(f"{PATH}/{draw}", json={"digits": digits})


async def acts(vault: PeopleHarness) -> list[Any]:
    lines = await vault.store.db[OUTBOX].find({"name": DiceEntered.name}).sort("_id", 1).to_list(None)
    return [json.loads(line["body"])["act"] for line in lines]


async def audited(vault: PeopleHarness) -> list[tuple[str, str]]:
    lines = map(json.loads, await vault.audit.lines(0))
    return [(line["actor"], line["role"]) for line in lines if line["action"] == f"enter-dice:{DRAW}"]


async def test_two_witnesses_enter_digits_that_every_verifier_reads(vault: PeopleHarness):
    ward, auditor = await person(vault, "mori-02", Role.WARD), await person(vault, "kanda-01", Role.AUDITOR)
    first = (await enter(ward, ONE)).json()
    assert (first["state"], first["own"], [one["role"] for one in first["entered"]]) == ("open", True, ["ward"])
    vault.clock.at += timedelta(seconds=1)
    assert (await enter(auditor, OTHER)).json()["state"] == "complete"
    assert read_dice(vault.keystore.signing.public, await acts(vault), RULE) == ONE + OTHER
    assert await audited(vault) == [("mori-02", "ward"), ("kanda-01", "auditor")]
    shown = json.dumps((await ward.get(PATH)).json())
    assert not {ONE, OTHER, "mori-02", "kanda-01"} & set(shown.split('"'))


async def test_who_may_not_witness_is_refused_and_leaves_no_line(vault: PeopleHarness):
    handler = await person(vault, "yamada-01", Role.HANDLER, Role.ENGINEER)
    ward = await person(vault, "mori-02", Role.WARD)
    assert (await enter(handler, ONE)).status_code == 403
    assert (await handler.get(PATH)).status_code == 200
    assert (await enter(ward, ONE, f"{CAMPAIGN}-9")).json()["type"] == "urn:kuji:problem:unknown-draw"
    for digits in ("1" * 19, "1" * 21, "１" * 20, "1" * 19 + "x"):
        assert (await enter(ward, digits)).status_code == 422
    async with vault.browser() as stranger:
        assert (await enter(stranger, ONE)).status_code == 401
    assert (await acts(vault), await audited(vault)) == ([], [])


async def test_nobody_enters_twice_and_no_more_people_than_the_list_asks_for(vault: PeopleHarness):
    ward = await person(vault, "mori-02", Role.WARD)
    others = [await person(vault, f"kanda-0{number}", Role.AUDITOR) for number in range(4)]
    answers = await asyncio.gather(*(enter(ward, ONE) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    answers = await asyncio.gather(*(enter(other, OTHER) for other in others))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert (len(await acts(vault)), len(await audited(vault))) == (2, 2)
    assert await vault.store.db[ACTS].count_documents({}) == 2


async def test_digits_count_from_the_end_of_objections_until_thirty_seconds_before_the_round(vault: PeopleHarness):
    ward, auditor = await person(vault, "mori-02", Role.WARD), await person(vault, "kanda-01", Role.AUDITOR)
    refusals = list[str]()
    for at in (DAY - timedelta(seconds=1), ROUND_AT - timedelta(seconds=29)):
        vault.clock.at = at
        refusals.append((await enter(ward, ONE)).json()["type"])
    assert refusals == ["urn:kuji:problem:dice-early", "urn:kuji:problem:dice-late"]
    vault.clock.at = ROUND_AT - timedelta(seconds=30)
    assert (await enter(ward, ONE)).status_code == 200
    vault.clock.at += timedelta(seconds=1)
    assert (await enter(auditor, ONE)).status_code == 409
    assert (await auditor.get(f"{PATH}/{DRAW}")).json()["state"] == "missed"
    assert await audited(vault) == [("mori-02", "ward")]


async def test_time_that_passes_before_the_act_is_stored_counts(vault: PeopleHarness, monkeypatch: pytest.MonkeyPatch):
    """Let the request come in time, and the database answer when it is too late."""
    ward = await person(vault, "mori-02", Role.WARD)
    transact = vault.store.transact

    async def slow(work: Any, **named: Any) -> Any:
        vault.clock.at = ROUND_AT
        return await transact(work, **named)

    monkeypatch.setattr(vault.store, "transact", slow)
    assert (await enter(ward, ONE)).json()["type"] == "urn:kuji:problem:dice-late"
    monkeypatch.undo()
    assert (await acts(vault), await audited(vault)) == ([], [])


async def test_a_transaction_that_is_repeated_writes_one_line(vault: PeopleHarness, monkeypatch: pytest.MonkeyPatch):
    ward = await person(vault, "mori-02", Role.WARD)
    transact = vault.store.transact

    async def twice(work: Any, **named: Any) -> Any:
        class LostError(Exception):
            """Raised after the work, so that its commit is lost."""

        async def lost(uow: Any) -> None:
            await work(uow)
            raise LostError

        with pytest.raises(LostError):
            await transact(lost, **named)
        return await transact(work, **named)

    monkeypatch.setattr(vault.store, "transact", twice)
    assert (await enter(ward, ONE)).status_code == 200
    monkeypatch.undo()
    assert (len(await acts(vault)), await audited(vault)) == (1, [("mori-02", "ward")])


async def test_a_draw_that_was_given_up_takes_no_more_digits(vault: PeopleHarness):
    ward = await person(vault, "mori-02", Role.WARD)
    await ask(vault, request(2, manifest_sha256="cd" * 32))
    assert (await enter(ward, ONE)).json()["type"] == "urn:kuji:problem:dice-replaced"
    assert (await enter(ward, ONE, f"{CAMPAIGN}-2")).status_code == 200
    assert [one["state"] for one in (await ward.get(PATH)).json()["ceremonies"]] == ["replaced", "open"]


async def test_page_asks_once_more_and_works_without_a_program(vault: PeopleHarness):
    ward = await person(vault, "mori-02", Role.WARD)
    page = f"/desk/dice/{CAMPAIGN}"
    assert (await ward.get("/desk/dice")).headers["location"] == page
    assert "あなたの出目を入力する" in (await ward.get(page)).text
    few = await ward.post(page, data={"draw": DRAW, "digits": "12345", "step": "look"})
    assert (few.status_code, "5桁です" in few.text) == (409, True)
    typed = " ".join(chr(ord("０") + int(digit)) for digit in ONE)
    looked = await ward.post(page, data={"draw": DRAW, "digits": typed, "step": "look"})
    assert (looked.status_code, "この出目で確定する" in looked.text, await acts(vault)) == (200, True, [])
    done = await ward.post(page, data={"draw": DRAW, "digits": ONE, "step": "confirm"})
    assert (done.status_code, done.headers["location"]) == (303, page)
    assert "次の立会人に代わってください" in (await ward.get(page)).text
    again = await ward.post(page, data={"draw": DRAW, "digits": ONE, "step": "confirm"})
    assert (again.status_code, "受付済み" in again.text) == (409, True)
    handler = await person(vault, "yamada-01", Role.HANDLER)
    assert (await handler.get(page)).status_code == 403
    assert (await handler.post(page, data={"draw": DRAW, "digits": ONE, "step": "confirm"})).status_code == 403
