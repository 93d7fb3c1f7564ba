"""The lottery's signing key is replaced while a draw is under way: what it signed holds; a stolen one's does not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.service_keys import KeyFolders
from services.lottery.draw.rules.states import DrawState
from services.lottery.keys import LotteryKeys
from services.lottery.record.passes import InvalidPassError, read_pass
from services.lottery.statistics.overview import DrawOverview
from services.lottery.statistics.rules.timeline import current
from services.lottery.verification.transcript_checks import verify_transcript
from shared.contracts import SERVICES
from shared.json_types import JsonObject
from shared.signing import key_name, verify
from shared.slips import SlipKeys
from tests.support.lottery_harness import Office, Town, everybody_is_in
from tests.support.places_harness import KIDS, After
from tests.support.service_keys import keys_in_environment


class Folder:
    """Key folder of this test's lottery, which its three processes and the vault read."""

    def __init__(self, folder: Path) -> None:
        self._folders = KeyFolders(dict.fromkeys(SERVICES, folder))
        self.lottery, self.vault = LotteryKeys(folder), SlipKeys(folder)

    def rotate(self) -> str:
        """Replace the signing key; return the new public key."""
        return self._folders.rotate("lottery", "signing").public_key

    def revoke(self, public: str) -> None:
        self._folders.revoke(key_name(public))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """Make keys for this test alone, which are read again at every look instead of each second."""
    monkeypatch.setattr("shared.service_keys._FRESH_S", 0.0)
    with keys_in_environment(tmp_path):
        yield Folder(tmp_path)


@pytest.fixture
async def running(folder: Folder, town: Town) -> Town:
    """Start a lottery before its key is rotated, and freeze its list."""
    assert folder.lottery.believed()
    await everybody_is_in(town)
    await town.office.freeze()
    return town


async def manifest_of(office: Office) -> JsonObject:
    """Return what the lottery publishes of the present draw's list."""
    published: JsonObject = json.loads(bytes((await office.published.manifest(office.campaign)).body))
    return published


async def test_a_key_that_is_rotated_between_freeze_and_result_and_after_it_leaves_everything_valid(
    folder: Folder, running: Town, capsys: pytest.CaptureFixture[str]
):
    first, office = folder.lottery.signing.public, running.office
    second = folder.rotate()
    manifest = await manifest_of(office)
    assert manifest["signing_key"] == first
    assert verify(first, manifest["manifest"].encode(), manifest["signature"])

    await office.enter_chance()
    assert await office.run()
    assert await office.publish()
    after = After.of(running)
    results = await after.slips()
    assert {slip["key"] for slip in results} == {key_name(second)}
    drawn = await after.transcript()
    assert drawn["signing_key"] == second
    assert verify_transcript(drawn, folder.lottery.believed()).passed

    third = folder.rotate()
    (given_up, *_) = await after.of_class(KIDS, "held")
    await after.answer(given_up, "withdraw")
    await after.settle()
    renewed, offers = await after.transcript(), await after.offers()
    assert renewed["signing_key"] == third
    assert renewed["history"][-1]["event"] == "offered"
    assert {slip["key"] for slip in offers} == {key_name(third)}
    assert all(folder.vault.verify(slip) for slip in [*results, *offers])
    for transcript in (drawn, renewed):
        assert verify_transcript(transcript, folder.lottery.believed()).passed
    code = next(given["code"] for slip in results for given in slip["passes"])
    assert read_pass(folder.lottery.believed(), running.campaign.id, code).seats >= 1

    folder.revoke(second)
    assert set(folder.lottery.believed()) == {first, third}
    assert not any(folder.vault.verify(slip) for slip in results)
    assert all(folder.vault.verify(slip) for slip in offers)
    assert not verify_transcript(drawn, folder.lottery.believed()).passed
    assert verify_transcript(renewed, folder.lottery.believed()).passed
    with pytest.raises(InvalidPassError):
        read_pass(folder.lottery.believed(), running.campaign.id, code)

    folder.rotate()
    folder.revoke(third)
    (given_up, *_) = await after.of_class(KIDS, "held")
    await after.answer(given_up, "withdraw")
    capsys.readouterr()
    for _ in range(3):
        await after.settle()
    assert await after.transcript() == renewed, "what a stolen key may have signed is not signed again"
    assert capsys.readouterr().out.count("transcript-of-a-revoked-key") == 1, "once, not at every tick"


async def test_a_list_that_a_revoked_key_signed_is_not_drawn_from_and_drawing_again_helps(
    folder: Folder, running: Town, capsys: pytest.CaptureFixture[str]
):
    office, stolen = running.office, folder.lottery.signing.public
    folder.rotate()
    folder.revoke(stolen)
    await office.enter_chance()
    capsys.readouterr()
    for _ in range(3):
        assert not await office.run()
    assert capsys.readouterr().out.count("list-of-a-revoked-key") == 1, "once, not at every tick"
    assert (await office.draw()).state is DrawState.FROZEN
    overview = DrawOverview(office.store, running.clock, folder.lottery)
    step = current((await overview.course(running.campaign)).steps)
    assert step is not None
    assert (step.name, step.state, [wait.code for wait in step.waits]) == ("manifest", "waiting", ["revoked-key"])
    manifest = await manifest_of(office)
    assert manifest["signing_key"] == stolen, "the published list names the key that signed it, also a revoked one"

    await office.redraw("the key of the lottery was stolen")
    assert await office.finish()
    assert "revoked-key" not in str((await overview.course(running.campaign)).steps)
    await office.enter_chance()
    assert await office.run()
    transcript = await After.of(running).transcript()
    assert verify_transcript(transcript, folder.lottery.believed()).passed
