"""Tests of deleting a campaign's folders: two vault processes may carry out the same erasure."""

import threading
from pathlib import Path

import pytest

from services.vault.closeout.campaign_folders import CampaignFolders
from shared.ids import CampaignId

CAMPAIGN = CampaignId("777-days")
FILES = 1_500


@pytest.fixture
def folders(tmp_path: Path) -> CampaignFolders:
    """Return the vault's folders with many files of the campaign in each."""
    folders = CampaignFolders.below(tmp_path)
    for folder in folders.folders.values():
        (folder / CAMPAIGN / "part").mkdir(parents=True)
        for number in range(FILES):
            (folder / CAMPAIGN / "part" / f"{number}.bin").touch()
    return folders


def test_two_processes_delete_the_same_folders_without_an_error(folders: CampaignFolders) -> None:
    errors: list[OSError] = []

    def remove() -> None:
        try:
            folders.remove(CAMPAIGN)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=remove) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(folders.counts(CAMPAIGN).values()) == {0}


def test_another_failure_than_a_missing_file_is_raised(
    folders: CampaignFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.unlink", refuse)
    with pytest.raises(PermissionError):
        folders.remove(CAMPAIGN)
