"""Files that every viewer shows are accepted, at the edge and in the vault; what unpacks to too much is not."""

import time
from collections.abc import Callable

import pytest

from deploy.edge.strip_metadata import strip_metadata
from services.vault.papers.sandbox import PNG, Sandbox
from shared.paper_files import HEADER_WITHIN, FileFacts, Kind, NotAPaperError, inspect_file
from tests.support import faulty_files, fax_images

MENDED: dict[str, tuple[Callable[[], bytes], Kind]] = {
    "two resolutions": (faulty_files.tiff_with_two_resolutions, Kind.TIFF),
    "two orientations": (faulty_files.tiff_with_two_orientations, Kind.TIFF),
    "tags past the end": (faulty_files.photo_with_tags_past_the_end, Kind.JPEG),
    "photo of a telephone": (faulty_files.telephone_photo, Kind.JPEG),
    "startxref": (faulty_files.pdf_with_wrong_startxref, Kind.PDF),
    "length": (faulty_files.pdf_with_short_length, Kind.PDF),
    **{
        f"behind {name}": (lambda prefix=prefix: faulty_files.pdf_behind(prefix), Kind.PDF)
        for name, prefix in faulty_files.PREFIXES.items()
    },
}


@pytest.mark.parametrize("name", MENDED)
async def test_a_fault_that_viewers_pass_over_is_mended_at_the_edge_and_in_the_vault(name: str):
    make, kind = MENDED[name]
    file = make()
    assert inspect_file(file) == FileFacts(kind, 1)
    assert inspect_file(strip_metadata(file)) == FileFacts(kind, 1)
    assert await Sandbox().inspect(file) == FileFacts(kind, 1)
    assert (await Sandbox().picture(file, 0)).startswith(PNG)


@pytest.mark.parametrize(("size", "times"), [(360_000_000, 1), (360_000_000, 2)], ids=["packed", "packed twice"])
async def test_a_stream_that_unpacks_to_hundreds_of_megabytes_is_refused_before_it_is_unpacked(size: int, times: int):
    file = faulty_files.pdf_that_unpacks_to(size, times)
    assert len(file) < 2_000_000
    began = time.process_time()
    with pytest.raises(NotAPaperError, match="too-large"):
        inspect_file(file)
    assert time.process_time() - began < 2, "seconds of processor time"
    with pytest.raises(NotAPaperError, match="too-large"):
        await Sandbox().inspect(file)


def test_a_drawing_of_a_few_megabytes_is_a_paper():
    assert inspect_file(faulty_files.pdf_that_unpacks_to(5_000_000)) == FileFacts(Kind.PDF, 1)


def test_a_header_too_far_behind_and_a_pdf_without_its_end_are_refused():
    far = b"\n" * (HEADER_WITHIN + 1) + fax_images.scan()
    for file, code in (
        (far, "unknown-kind"),
        (fax_images.scan()[:-40], "damaged"),
        (fax_images.scan()[:9000], "damaged"),
    ):
        with pytest.raises(NotAPaperError) as caught:
            inspect_file(file)
        assert caught.value.code == code
