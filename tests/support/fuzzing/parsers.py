"""Fuzz the parsers of what strangers send: papers, delivery reports, sealed content, and the vault's assertions.

Each target of the long run has a process of its own, so that a crash of a decoder ends that process alone.
"""

import io
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pikepdf
from PIL import Image

from services.vault.applications.matching import keyed_hashes
from services.vault.applications.rules.content import Judged, judge
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.ciphers.opening import NotOpenedError, Opener, seal_version
from services.vault.mail.rules.batch_reports import named_recipients
from services.vault.mail.rules.delivery_reports import read_report
from services.vault.papers.draw_page import draw_page
from shared.ids import ApplicationId
from shared.paper_files import NotAPaperError, inspect_file
from shared.postal_codes import PostalCodes
from shared.signing import SigningKey
from shared.web.sign_in.assertion import Assertion, SignInRefusedError, read_assertion, write_assertion
from tests.support.fuzzing.inputs import Inputs
from tests.support.fuzzing.outcome import CANARY, Outcome, watched_inputs
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER, campaign, content, written

_APPLICATION: Final = ApplicationId("0b6f2a52-5d0b-4b6c-9d3a-3f1f6f0f2c11")
_NOW: Final = datetime(2018, 6, 1, tzinfo=UTC)
_PIXELS: Final = (120, 90)


@dataclass(frozen=True)
class Parser:
    """`parse` takes bytes and returns what it says of them; of its errors it names those that callers handle."""

    parse: Callable[[bytes], object]
    samples: tuple[bytes, ...]


def papers() -> Parser:
    """Return what the vault's confined process does with a file: inspect it, and draw its first page."""

    def parse(data: bytes) -> object:
        try:
            return inspect_file(data), len(draw_page(data, 0))
        except NotAPaperError as refusal:
            return refusal.code

    picture, files = Image.radial_gradient("L").resize(_PIXELS), []
    for kind, mode, more in (
        ("TIFF", "1", {"compression": "group4"}), ("TIFF", "L", {}), ("JPEG", "L", {}), ("PNG", "L", {}),
    ):  # fmt: skip
        saved = io.BytesIO()
        picture.convert(mode).save(saved, kind, **more)
        files.append(saved.getvalue())
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=_PIXELS)
        saved = io.BytesIO()
        pdf.save(saved, compress_streams=False)
    return Parser(parse, (*files, saved.getvalue()))


def reports() -> Parser:
    """Return the reader of delivery reports, with that of an announcement's recipients."""
    addresses = [f"{CANARY}-{number}@mail.example" for number in range(3)]

    def parse(data: bytes) -> object:
        return read_report(data, ""), len(named_recipients(data, addresses))

    samples = tuple(path.read_bytes() for path in sorted(Path("tests/cases/bounces").rglob("*.eml")))
    return Parser(parse, samples)


def sealed() -> Parser:
    """Return the opener of sealed bytes: what the bytes say is never seen where they do not open."""
    keys = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)
    opener, whole = Opener(CAMPAIGN, keys), written(content())

    def parse(data: bytes) -> object:
        try:
            opener.open_application(data.decode("utf-8", "replace"), keys.current.key_id, _APPLICATION)
        except NotOpenedError as refusal:
            return refusal
        return "opened"

    return Parser(parse, (seal_version(CAMPAIGN, keys.current, _APPLICATION, 1, whole).encode("ascii"),))


def opened() -> Parser:
    """Return what the vault does with opened content: judge it, and find its keyed hashes."""
    sample, municipalities = campaign(), PostalCodes().municipalities
    keys = CampaignKeys.generate(CAMPAIGN, NOT_AFTER)

    def parse(data: bytes) -> object:
        verdict = judge(data, "web", sample, municipalities)
        if isinstance(verdict, Judged):
            keyed_hashes(keys, verdict.person)
        return type(verdict).__name__

    pupil = content()
    pupil["applicant"] = {**pupil["applicant"], "grade": "p3", "guardian": {"name": "髙橋 恵子"}}
    del pupil["applicant"]["age"]
    return Parser(parse, (written(content()), written(pupil), written({"v": 2, "withdraw": True, "code": "Z" * 16})))


def assertions() -> Parser:
    """Return the reader of the vault's statements about who signed in, which arrive in an address."""
    signing = SigningKey.generate()
    claimed = Assertion("lottery", "yamada-01", frozenset(), _NOW, "passkey", "A" * 48, "sid", _NOW.replace(year=2019))

    def parse(data: bytes) -> object:
        try:
            read_assertion(data.decode("utf-8", "replace"), audience="lottery", public_keys=[signing.public], now=_NOW)
        except SignInRefusedError as refusal:
            return refusal
        return "read"

    return Parser(parse, (write_assertion(signing, claimed).encode("ascii"),))


PARSERS: Final[dict[str, Callable[[], Parser]]] = {
    "papers": papers, "delivery reports": reports, "sealed bytes": sealed, "opened content": opened,
    "assertions": assertions,
}  # fmt: skip


def fuzz_all(count: int, wanted: str = "") -> Iterator[Outcome]:
    """Fuzz each parser whose target's name has `wanted` in it."""
    for name in PARSERS:
        if wanted in f"parser of {name}":
            yield fuzz(name, count)


def fuzz(name: str, count: int) -> Outcome:
    """Fuzz one parser in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_fuzz_quietly, name, count).result()
        except BrokenProcessPool:
            outcome = Outcome(f"parser of {name}", inputs=count)
            outcome.error("the process ended")
            return outcome


def _fuzz_quietly(name: str, count: int) -> Outcome:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return fuzz_here(name, count)


def fuzz_here(name: str, count: int) -> Outcome:
    """Give `count` inputs to the parser and return what was found."""
    parser, inputs, outcome = PARSERS[name](), Inputs(3), Outcome(f"parser of {name}")
    with watched_inputs(outcome, count) as numbers:
        for _ in numbers:
            data = _made(inputs, inputs.random.choice(parser.samples))
            began = time.process_time()
            outcome.count(_parse(parser, data, outcome), time.process_time() - began)
    return outcome


def _made(inputs: Inputs, sample: bytes) -> bytes:
    """Return a changed sample; of JSON often one that is still JSON."""
    if sample[:1] == b"{" and inputs.random.random() < 0.8:
        return inputs.json(inputs.changed(json.loads(sample)))
    return inputs.changed_bytes(sample)


def _parse(parser: Parser, data: bytes, outcome: Outcome) -> str:
    try:
        said = parser.parse(data)
    except Exception as error:  # noqa: BLE001  (whatever escapes is the finding)
        outcome.error(f"{type(error).__name__}: {str(error)[:100]} for {data[:300]!r}")
        return "error"
    if CANARY in str(said).lower():
        outcome.echo(str(said)[:200])
    return "parsed"
