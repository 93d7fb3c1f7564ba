"""Films for a browser that has no camera: YUV4MPEG2, as Chromium's fake camera plays it again and again."""

from pathlib import Path

import pypdfium2
from PIL import Image, ImageFilter

from services.vault.printroom.postcards import Card, print_cards
from shared.campaign import Campaign
from shared.contracts import ClassPass
from shared.typesetting import Typesetter

WIDTH, HEIGHT = 640, 480
_PIXELS_PER_MM = 7
"""As a telephone's camera sees a card that fills its picture, with less than it could see."""


def film_of_postcard(campaign: Campaign, shown: ClassPass, path: Path) -> Path:
    """Draw the pass of a printed sealed card, held a little askew and not quite in focus."""
    card = Card(
        "1608484",
        ("東京都",),
        "見本 太郎",
        guardian=False,
        bars=None,
        body="当選",
        code="7K3M-9Q2P-6A4D-RT5W",
        entry_number="E-7K3M-9Q2P-6",
        receipt="W-7K3M-9Q2P-6",
        passes=(shown,),
    )
    with pypdfium2.PdfDocument(print_cards(Typesetter(), campaign, [card]).pdf) as document:
        page = document[1].render(scale=_PIXELS_PER_MM * 25.4 / 72).to_pil().convert("L")
    seen = page.rotate(5, fillcolor=150, resample=Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(0.8))
    left, top = 103 * _PIXELS_PER_MM, 24 * _PIXELS_PER_MM
    frame = Image.new("L", (WIDTH, HEIGHT), 150)
    frame.paste(seen.crop((left, top, left + WIDTH, top + 55 * _PIXELS_PER_MM)), (0, 40))
    picture = b"FRAME\n" + frame.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420\n".encode() + picture * 10)
    return path
