"""Rehearsals on containers: what an erasure leaves behind does not stand in the way of the next rehearsal."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from deploy.compose.rehearse import clock_file, prepare, rehearse
from shared.campaign import load_campaigns
from shared.clock import RehearsalClock
from shared.errors import KujiError
from shared.ids import CampaignId


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder as `./kuji compose init` makes it before the rehearsal is prepared."""
    for name in ("clock", "mailbox", "rehearsal"):
        (tmp_path / name).mkdir()
    return tmp_path


def played_to_the_end(folder: Path, campaign: str) -> None:
    """Leave what a rehearsal leaves once its campaign is erased."""
    (folder / "rehearsal" / "certificate.json").write_text(json.dumps({"campaign": campaign}))
    (folder / "mailbox" / "1.eml").write_text("a mail")


def campaigns_of(folder: Path) -> list[str]:
    return sorted(load_campaigns(folder / "campaigns"))


def test_a_rehearsal_that_was_not_erased_is_prepared_again_as_it_is(folder: Path) -> None:
    prepare(folder)
    prepare(folder)
    assert campaigns_of(folder) == ["777-days"]


def test_after_each_erasure_the_next_campaign_has_another_id_beside_the_erased_one(folder: Path) -> None:
    prepare(folder)
    erased = (folder / "campaigns" / "777-days.yaml").read_bytes()
    played_to_the_end(folder, "777-days")
    prepare(folder)
    assert campaigns_of(folder) == ["777-days", "777-days-2"]
    assert (folder / "campaigns" / "777-days.yaml").read_bytes() == erased
    assert list((folder / "mailbox").iterdir()) == []
    prepare(folder)
    assert campaigns_of(folder) == ["777-days", "777-days-2"]
    played_to_the_end(folder, "777-days-2")
    prepare(folder)
    assert campaigns_of(folder) == ["777-days", "777-days-2", "777-days-3"]
    window = load_campaigns(folder / "campaigns")[CampaignId("777-days-3")].window
    assert window.opens < RehearsalClock(clock_file(folder)).now() < window.closes


def test_an_erased_rehearsal_says_how_to_make_the_next_one(folder: Path) -> None:
    prepare(folder)
    played_to_the_end(folder, "777-days")
    with pytest.raises(KujiError, match="compose init --rehearsal"):
        rehearse(folder, 50, Console())
