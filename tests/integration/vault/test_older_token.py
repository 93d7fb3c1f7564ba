"""A token or a key folder from before: a campaign's key file stays, and no erased campaign gets a new key."""

import shutil
from pathlib import Path

import pytest

from services.vault.keys.__main__ import main
from services.vault.keys.keystore import CampaignKeyGoneError, KeyDestroyedError, Keystore
from shared.ids import CampaignId
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.soft_token import SoftToken

# A keystore of the same process that logs in anew ends the searches of the others; the library says so in `__del__`.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

OTHER = CampaignId("other")
TIMES = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_an_older_token_leaves_the_key_file_of_a_live_campaign_and_the_right_one_opens_it(
    folder: Path, token: SoftToken, tmp_path: Path
):
    present, backup = token.folder, tmp_path / "backup-of-the-token"
    Keystore.open(folder, token.access())
    shutil.copytree(present, backup)
    keys = Keystore.open(folder, token.access()).ensure_campaign(CAMPAIGN, NOT_AFTER)
    path = folder / "campaigns" / f"{CAMPAIGN}.json"
    kept = path.read_bytes()
    present.rename(tmp_path / "right")
    backup.rename(present)
    for _ in range(TIMES):
        keystore = Keystore.open(folder, token.access())
        for attempt in (keystore.campaign, lambda name, of=keystore: of.ensure_campaign(name, NOT_AFTER)):
            with pytest.raises(CampaignKeyGoneError, match=f"{CAMPAIGN}.*right token"):
                attempt(CAMPAIGN)
        with pytest.raises(CampaignKeyGoneError):
            keystore.destroy_campaign_key(CAMPAIGN)
        assert keystore.fingerprint_of_destroyed(CAMPAIGN) is None
        assert path.read_bytes() == kept
    present.rename(backup)
    (tmp_path / "right").rename(present)
    assert Keystore.open(folder, token.access()).ensure_campaign(CAMPAIGN, NOT_AFTER) == keys


def test_an_erased_campaign_gets_no_new_key_in_a_restored_copy(folder: Path, token: SoftToken):
    running = Keystore.open(folder, token.access())
    for campaign in (CAMPAIGN, OTHER):
        running.ensure_campaign(campaign, NOT_AFTER)
    copy = Path(shutil.copytree(folder, folder.with_name("copy")))
    running.destroy_campaign_key(CAMPAIGN)
    kept = (copy / "campaigns" / f"{CAMPAIGN}.json").read_bytes()
    for _ in range(TIMES):
        restored = Keystore.open(copy, token.access())
        for _ in range(TIMES):
            with pytest.raises(KeyDestroyedError, match="with its certificate"):
                restored.ensure_campaign(CAMPAIGN, NOT_AFTER)
        assert restored.ensure_campaign(OTHER, NOT_AFTER) == running.campaign(OTHER)
    before = (copy / "root.json").read_bytes()
    for command in (["rotate-root"], ["rotate-sealing", CAMPAIGN]):
        with pytest.raises(SystemExit, match=rf"{CAMPAIGN}\.json does not open.*certificate"):
            main(["--folder", str(copy), *token.options, *command])
    assert (copy / "root.json").read_bytes() == before, "nothing was changed"
    assert (copy / "campaigns" / f"{CAMPAIGN}.json").read_bytes() == kept
    assert len(token.list_keys()) == 2, "the root key and the other campaign's"
