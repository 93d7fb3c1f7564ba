"""Films for a browser that has no camera: YUV4MPEG2, as Chromium's fake camera plays it again and again."""

import io
from pathlib import Path

import segno
from PIL import Image

WIDTH, HEIGHT = 640, 480


def film_of(code: str, path: Path) -> Path:
    """A QR code held before a camera: grey background, a little turned, a white card around it."""
    drawn = io.BytesIO()
    segno.make(code, error="m", boost_error=False).save(drawn, kind="png", scale=6, border=6)
    card = Image.open(drawn).convert("L").rotate(4, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    frame = Image.new("L", (WIDTH, HEIGHT), 150)
    frame.paste(card, ((WIDTH - card.width) // 2, (HEIGHT - card.height) // 2))
    picture = b"FRAME\n" + frame.tobytes() + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420\n".encode() + picture * 10)
    return path
