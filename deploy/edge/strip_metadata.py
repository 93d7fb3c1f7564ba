"""Removes everything but the pages from a paper: tags, senders' numbers, scripts, attachments (R-C3).

What was black and white stays so dot for dot, in the coding it came in where it is G3 or G4.
"""

import io
from typing import Any, Final

import pikepdf
from PIL import Image, ImageOps

from deploy.edge import jpeg
from shared.paper_files import Kind, NotAPaperError, inspect_file, mended_pdf, open_image, quiet_decoders

_ORIENTATION: Final = 0x0112
_PAGE_KEYS: Final = frozenset(
    {"/Type", "/Parent", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Resources", "/Contents"}
)
SaveOptions = dict[str, Any]
"""Options of Pillow's `save`, whose types depend on the file's kind."""

_NEVER: Final = ("/Metadata", "/PieceInfo", "/LastModified", "/AA", "/AF", "/EF", "/OpenAction", "/JS", "/Thumb")


def strip_metadata(data: bytes) -> bytes:
    """Return a file of the same kind with the same pages and nothing else. Raises NotAPaperError."""
    kind = inspect_file(data).kind
    try:
        with quiet_decoders():
            clean = _bare_pdf(mended_pdf(data)[0]) if kind is Kind.PDF else _bare_image(data, kind)
    except (pikepdf.PdfError, OSError, ValueError):
        raise NotAPaperError("damaged") from None
    inspect_file(clean)
    return clean


def _bare_image(data: bytes, kind: Kind) -> bytes:
    with open_image(data, kind) as image:
        if kind is Kind.JPEG and _orientation(image) == 1:
            return jpeg.bare(data)
        frames = []
        for number in range(1 if kind is Kind.JPEG else getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(_bare_frame(image))
        options = [_options(image, kind, number) for number in range(len(frames))]
    return _written(frames, kind, options)


def _orientation(image: Image.Image) -> int:
    """Return the orientation of the tags; 1, upright, where they have none or cannot be read."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001  (Pillow raises all sorts of things on tags that strangers wrote)
        return 1


def _bare_frame(image: Image.Image) -> Image.Image:
    """Upright dots alone: what Pillow remembers of a file would be written again."""
    upright = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image.copy()
    if upright.mode not in {"1", "L", "RGB"}:
        upright = upright.convert("RGB")
    return Image.frombytes(upright.mode, upright.size, upright.tobytes())


def _options(image: Image.Image, kind: Kind, number: int) -> SaveOptions:
    """Return the options of one page; the density is kept, because 98 lines an inch would look squeezed without it."""
    image.seek(number)
    density = {"dpi": image.info["dpi"]} if image.info.get("dpi") else {}
    if kind is not Kind.TIFF:
        return {**density, **({"quality": 95} if kind is Kind.JPEG else {})}
    came = image.info.get("compression")
    if image.mode == "1":
        return {**density, "compression": came if came in {"group3", "group4"} else "group4"}
    return {**density, "compression": "jpeg" if came == "jpeg" else "tiff_adobe_deflate"}


def _written(frames: list[Image.Image], kind: Kind, options: list[SaveOptions]) -> bytes:
    written = io.BytesIO()
    first, *more = frames
    for frame, wanted in zip(more, options[1:], strict=True):
        frame.encoderinfo = wanted  # how Pillow lets pages of one file differ
    first.save(written, kind.name, **options[0], **({"save_all": True, "append_images": more} if more else {}))
    return written.getvalue()


def _bare_pdf(data: bytes) -> bytes:
    """Copy the pages into a new file, without catalogue, information, names, scripts and attachments."""
    with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as source, pikepdf.new() as clean:
        source.flatten_annotations("print")
        clean.pages.extend(source.pages)
        for page in clean.pages:
            for name in set(page.obj.keys()) - _PAGE_KEYS:
                del page.obj[name]
        for item in clean.objects:
            _bare_object(item)
        written = io.BytesIO()
        clean.remove_unreferenced_resources()
        clean.save(written, fix_metadata_version=False, deterministic_id=True)
    return written.getvalue()


def _bare_object(item: pikepdf.Object) -> None:
    if not isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
        return
    for name in _NEVER:
        if name in item:
            del item[name]
    if isinstance(item, pikepdf.Stream) and item.get("/Filter") == pikepdf.Name.DCTDecode:
        item.write(jpeg.bare(item.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)
