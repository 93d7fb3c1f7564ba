"""The fields of our printed sheet are found on faxes and scans, and on nothing else."""

import pytest
import segno
from PIL import Image

from services.vault.papers.draw_page import picture_of
from services.vault.papers.find_fields import find_fields
from services.vault.papers.sandbox import Sandbox
from shared.campaign import load_campaign
from shared.sheet_layout import SheetLayout, code_text
from tests.support import fax_images

CAMPAIGN = load_campaign(fax_images.SAMPLE)
CODE = segno.make(code_text(CAMPAIGN), error="q", micro=False).matrix
PAGE_MM = (210.0, 297.0)


def as_expected(found: dict[str, tuple[float, float, float, float]], slack_mm: float = 1.0) -> bool:
    """Return True if each field is where it was printed, within the slack."""
    boxes = SheetLayout.make().boxes
    return set(found) == set(boxes) and all(
        abs(part * PAGE_MM[axis % 2] - printed) < slack_mm
        for name, box in boxes.items()
        for axis, (part, printed) in enumerate(zip(found[name], box, strict=True))
    )


@pytest.mark.parametrize(
    "file",
    [fax_images.fax(98), fax_images.fax(196, "group3"), fax_images.scan()],
    ids=["fax-98", "fax-196", "scan"],
)
def test_fields_are_found_on_faxes_and_scans_of_our_sheet(file: bytes):
    assert as_expected(find_fields(picture_of(file, 0), CODE))


def test_a_sheet_that_was_fed_askew_shrunk_or_shifted_is_found_too():
    picture = picture_of(fax_images.fax(196), 0)
    for degrees in (-2, 1, 2):
        found = find_fields(picture.rotate(degrees, fillcolor=255), CODE)
        name = found["name"]
        assert name[0] <= 51 / PAGE_MM[0] + 0.02
        assert name[0] + name[2] >= 193 / PAGE_MM[0] - 0.03
    shrunk = Image.new("L", picture.size, 255)
    shrunk.paste(picture.resize((picture.width * 96 // 100, picture.height * 96 // 100)), (40, 50))
    assert set(find_fields(shrunk, CODE)) == set(SheetLayout.make().boxes)


def test_another_paper_has_no_fields():
    assert find_fields(Image.new("L", (1728, 2200), 255), CODE) == {}
    assert find_fields(Image.new("L", (40, 20), 0), CODE) == {}
    framed = Image.new("L", (1728, 2444), 255)
    framed.paste(0, (60, 60, 1660, 90))
    assert find_fields(framed, CODE) == {}


def test_the_sheet_of_another_campaign_or_purpose_has_no_fields_because_its_places_may_differ():
    changed = CAMPAIGN.model_copy(update={"purpose": CAMPAIGN.purpose.model_copy(update={"version": "2019-01"})})
    other = segno.make(code_text(changed), error="q", micro=False).matrix
    picture = picture_of(fax_images.fax(196), 0)
    assert find_fields(picture, other) == {}
    assert find_fields(picture.rotate(180), CODE) == {}


async def test_a_search_that_fails_costs_nobody_the_picture():
    for code in ("", "no code"):
        picture, fields = await Sandbox().first(fax_images.fax(98), code)
        assert picture.startswith(b"\x89PNG")
        assert fields == {}
