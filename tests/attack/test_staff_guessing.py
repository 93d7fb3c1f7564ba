"""Strangers guess at the sign-in of staff: they are slowed down, and lock nobody out."""

import asyncio
import hashlib
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar, Literal

import pytest
from argon2 import PasswordHasher

from services.vault.people.refusals import SignInRefusedError
from services.vault.people.repository import ACCOUNTS, SETUP
from services.vault.people.sign_in import PasswordAttempt
from shared.web.sign_in.origins import Origin
from tests.support import people_harness
from tests.support.people_harness import HANDLER, PASSWORD, VAULT, PeopleHarness, running


@pytest.fixture
async def vault(mongo_url: str, namespace: str, tmp_path: Path) -> AsyncIterator[PeopleHarness]:
    async with running(mongo_url, namespace, tmp_path) as harness:
        yield harness


async def test_a_stranger_who_guesses_does_not_lock_the_person_out(vault: PeopleHarness):
    responsible, _ = await vault.set_up()
    await responsible.post("/sign-out")
    async with vault.browser() as stranger:
        guesses = [await vault.sign_in(stranger, "suzuki-01", password=f"guess number {n} is wrong") for n in range(11)]
        assert [guess.status_code for guess in guesses] == [401] * 10 + [429]
    assert (await vault.sign_in(responsible, "suzuki-01")).status_code == 303
    assert '<dd id="failures">10</dd>' in (await responsible.get("/desk/me")).text


async def test_guesses_from_many_addresses_do_not_lock_a_person_out_of_a_new_browser(vault: PeopleHarness):
    """Guess from thirty addresses: a new browser at an address where the person signed in before still gets in."""
    await vault.set_up()
    assert set(await guess_from_many_addresses(vault, 30)) == {"wrong", "too-many"}
    async with vault.browser() as elsewhere:
        assert (await vault.sign_in(elsewhere, "suzuki-01")).status_code == 303


async def guess_from_many_addresses(vault: PeopleHarness, times: int, staff_id: str = "suzuki-01") -> list[str]:
    """Guess the password once from each address, and return the reasons of the refusals."""
    reasons = list[str]()
    for number in range(times):
        guess = PasswordAttempt(staff_id, f"guess number {number}", "000000", None, f"192.0.2.{number}")
        with pytest.raises(SignInRefusedError) as refusal:
            await vault.people.sign_in.check_factors(guess)
        reasons.append(refusal.value.reason)
    return reasons


async def test_guesses_from_many_addresses_are_limited_and_the_person_goes_on_where_known(vault: PeopleHarness):
    """Serve, beyond the count of the account, only places in which the person signed in before."""
    responsible, _ = await vault.set_up()
    await responsible.post("/sign-out")
    assert await guess_from_many_addresses(vault, 60) == ["wrong"] * 25 + ["too-many"] * 35
    right = {"id": "suzuki-01", "password": PASSWORD, "code": await vault.fresh_code("suzuki-01")}
    async with vault.browser(address="198.51.100.9") as new_place:
        refused = await new_place.post("/sign-in", data=right)
    assert refused.status_code == 429, "the right password is not told from a wrong one there"
    assert 1 <= int(refused.headers["retry-after"]) <= 15 * 60
    async with vault.browser(address="198.51.100.9") as known_browser:
        known_browser.cookies.update(responsible.cookies)
        assert (await vault.sign_in(known_browser, "suzuki-01")).status_code == 303
    async with vault.browser() as new_browser_at_the_office:
        assert (await vault.sign_in(new_browser_at_the_office, "suzuki-01")).status_code == 303
    async with vault.browser(address="198.51.100.9") as moved:
        assert (await vault.sign_in(moved, "suzuki-01")).status_code == 303, "that address is known by now"


async def test_guesses_at_an_account_that_is_not_there_are_limited_alike(vault: PeopleHarness):
    await vault.set_up()
    assert await guess_from_many_addresses(vault, 26, "nobody-01") == ["wrong"] * 25 + ["too-many"]


async def test_a_guess_at_a_name_that_nobody_has_writes_as_much_as_one_at_a_real_account(vault: PeopleHarness):
    """Both answers wait for one journaled write: without it a stranger told real names by the time (7 ms and 1 ms)."""
    await vault.set_up()
    await guess_from_many_addresses(vault, 3)
    await guess_from_many_addresses(vault, 3, "nobody-01")
    account = await vault.store.db[ACCOUNTS].find_one({"_id": "suzuki-01"})
    unknown = await vault.store.db[SETUP].find_one({"_id": "unknown"})
    assert [account and account["failures"], unknown and unknown["failures"]] == [3, 3]
    assert "nobody-01" not in await vault.stored()


async def test_guesses_at_one_account_keep_nobody_else_out(vault: PeopleHarness):
    await vault.set_up()
    await guess_from_many_addresses(vault, 30)
    async with vault.browser(address="198.51.100.9") as elsewhere:
        assert (await vault.sign_in(elsewhere, "mori-01")).status_code == 303


async def test_parallel_guesses_are_no_way_around_the_limit(vault: PeopleHarness):
    await vault.set_up()
    guesses = [
        PasswordAttempt("suzuki-01", f"guess number {number}", "000000", None, f"192.0.2.{number}")
        for number in range(60)
    ]
    answers = await asyncio.gather(*map(vault.people.sign_in.check_factors, guesses), return_exceptions=True)
    reasons = Counter(answer.reason for answer in answers if isinstance(answer, SignInRefusedError))
    assert reasons == {"wrong": 25, "too-many": 35}


async def test_right_factors_in_new_places_use_nothing_up(vault: PeopleHarness):
    """Sign in at many places, each time with a right code: none of them refuses."""
    await vault.set_up()
    for number in range(30):
        right = PasswordAttempt("suzuki-01", PASSWORD, await vault.fresh_code("suzuki-01"), None, f"192.0.2.{number}")
        assert (await vault.people.sign_in.check_factors(right)).account.id == "suzuki-01"


class HeldHasher(PasswordHasher):
    """Holds what strangers guess in the hashing, as a slow machine would, until `let_go`."""

    let_go: ClassVar = threading.Event()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  (argon2's name)
        if str(password).startswith("guess"):
            self.let_go.wait(60)
        return super().verify(hash, password)


async def test_strangers_who_keep_the_hashing_busy_lock_nobody_out_of_a_known_place(
    mongo_url: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Guess at names that nobody has, each from another address: no count stops that, and each guess takes its time."""
    monkeypatch.setattr(people_harness, "PasswordHasher", HeldHasher)
    async with running(mongo_url, namespace, tmp_path) as vault:
        responsible, _ = await vault.set_up()
        await responsible.post("/sign-out")
        guesses = [
            asyncio.create_task(
                vault.people.sign_in.check_factors(
                    PasswordAttempt(f"nobody-{number:02}", "guess", "000000", None, f"192.0.2.{number}")
                )
            )
            for number in range(60)
        ]
        try:
            await asyncio.wait(guesses, timeout=10, return_when=asyncio.FIRST_COMPLETED)
            async with asyncio.timeout(20):
                assert (await vault.sign_in(responsible, "suzuki-01")).status_code == 303, "a known browser"
                async with vault.browser() as elsewhere:
                    assert (await vault.sign_in(elsewhere, "suzuki-01")).status_code == 303, "a known address"
        finally:
            HeldHasher.let_go.set()
            answers = await asyncio.gather(*guesses, return_exceptions=True)
    reasons = Counter(answer.reason for answer in answers if isinstance(answer, SignInRefusedError))
    assert reasons == {"wrong": 42, "too-many": 18}, "two are hashed, forty wait, nobody waits behind them"


async def test_no_address_of_staff_is_stored_as_it_is(vault: PeopleHarness):
    await vault.set_up()
    (account,) = await vault.store.db[ACCOUNTS].find({"_id": "suzuki-01"}).to_list()
    assert len(account["addresses"]) == 1
    assert "127.0.0.1" not in await vault.stored()
    unkeyed = [hashlib.sha256(text.encode()).hexdigest() for text in ("127.0.0.1", "suzuki-01127.0.0.1")]
    assert account["addresses"][0] not in unkeyed


async def test_codes_for_a_known_password_are_limited_from_all_addresses_and_read_like_wrong_ones(
    vault: PeopleHarness,
):
    responsible, _ = await vault.set_up()
    await responsible.post("/sign-out")
    fresh = await vault.fresh_code("suzuki-01")
    for number in range(10):
        guess = PasswordAttempt("suzuki-01", PASSWORD, "", None, f"192.0.2.{number}")
        with pytest.raises(SignInRefusedError, match="wrong"):
            await vault.people.sign_in.check_factors(guess)
    right = PasswordAttempt("suzuki-01", PASSWORD, fresh, None, "192.0.2.200")
    with pytest.raises(SignInRefusedError, match="wrong"):
        await vault.people.sign_in.check_factors(right)
    assert (await vault.sign_in(responsible, "suzuki-01")).status_code == 303, "a known browser goes on"


async def test_wrong_codes_from_the_offices_own_address_use_up_nobodys_right_code(vault: PeopleHarness):
    """Try codes of terminals and invitations from behind the same address: codes of 80 bits are not found, but pass."""
    responsible, ward = await vault.set_up()
    shown = await responsible.post("/desk/terminal")
    code = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", shown.text)
    assert code is not None
    await responsible.post("/desk/people/requests", data={**HANDLER, "kind": "create"})
    (request,) = await vault.people.requests.waiting()
    approved = await ward.post(f"/desk/people/requests/{request.id}/approve")
    invited = approved.text.split('id="code">')[1].split("<")[0]
    async with vault.browser() as stranger:
        wrong = [await stranger.post("/sign-in/terminal", json={"code": "0000-0000-0000-0000"}) for _ in range(21)]
        assert [answer.status_code for answer in wrong] == [401] * 20 + [429]
        tried = {"id": HANDLER["id"], "code": "0000-0000-0000-0000"}
        wrong = [await stranger.post("/sign-in/invitation", data=tried) for _ in range(21)]
        assert wrong[-1].status_code == 429
    async with vault.browser() as terminal, vault.browser() as newcomer:
        assert (await terminal.post("/sign-in/terminal", json={"code": code[0]})).status_code == 200
        assert (await vault.accept(newcomer, HANDLER["id"], invited)).status_code == 303


async def test_challenges_are_limited_by_address(vault: PeopleHarness):
    for _ in range(299):
        await vault.people.passkeys.sign_in_options(Origin.parse(VAULT), "127.0.0.1")
    async with vault.browser() as stranger:
        answers = [await stranger.post("/sign-in/passkey/options", json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
