"""Cards by post with barcode and pass: python -m tests.bench.bench_cards [cards]

Prints cards per second beside their limits in the same run. One batch has 100 cards (`NOTICE_BATCH_LIMIT`); as many are
set at a time as there are processors. Loading the fonts and the first batch are not counted. Limits:

- the QR codes alone, as zxing-cpp makes them;
- pages of plain text of the same length, as typst sets them without fitting, barcode, QR code or background.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from deploy.demo.rehearsal import SAMPLE
from services.vault.printroom.postcards import Card, draw_qr, print_cards
from services.vault.printroom.rules import barcode
from shared.campaign import Campaign, load_campaign
from shared.contracts import NOTICE_BATCH_LIMIT, ClassPass
from shared.typesetting import Typesetter

PROCESSORS: Final = os.cpu_count() or 1
CARDS: Final = 2_000
GOAL: Final = 600
"""Cards a second on two processors."""

_BODY: Final = """{name} 様

抽選の結果をお知らせします。
受付番号：W-{number:04}-9Q2P-6

① ジュニアサッカー教室
　【当選】1名分
　6月9日（土）10:00～11:30
　区立運動場
④ エスコートキッズ体験
　【補欠】{position}番（空きが出たらお知らせします）
⑦ 記念講演
　【見送り】当選した①と時間が重なります

ご都合が悪くなったときは、お早めにお知らせください。

Result of the draw: junior football - a place; escort kids - waiting list no. {position}; lecture - overlaps."""

_NAMES: Final = "渡邉髙橋𠮷田鈴木佐藤伊藤山本中村小林加藤"
_PLAIN: Final = """#let batch = json(bytes(sys.inputs.data))
#set page(width: 100mm, height: 148mm, margin: 9mm)
#set text(font: "IPAmjMincho", size: 10pt)
#for text in batch.texts { text.split("\\n").join(linebreak()); pagebreak(); pagebreak() }
"""


def make_card(campaign: Campaign, number: int, chance: random.Random) -> Card:
    """Return a card that differs from all others in name, address, text and pass."""
    name = "".join(chance.sample(_NAMES, 4))
    symbols = "".join(chance.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=160))
    block, lot = number % 30 + 1, number % 19 + 1
    return Card(
        postal_code=f"160{number % 10_000:04}",
        address=(f"東京都新宿区歌舞伎町{block}丁目{lot}番{number % 9 + 1}号", f"コーポ{name[0]} {number}号室"),
        name=name,
        guardian=number % 2 == 0,
        bars=barcode.bars("1600021", f"{block}-{lot}-{number}"),
        body=_BODY.format(name=name, number=number % 10_000, position=number % 40 + 1),
        code="7K3M-9Q2P-6A4D-RT5W",
        entry_number="E-0MH4-P742-Q",
        receipt=f"W-{number % 10_000:04}-9Q2P-6",
        passes=(ClassPass(class_id=campaign.classes[0].id, code=f"KP1:{symbols}"),),
    )


def print_rate(text: str, batches: Sequence[Sequence[Card]], process: Callable[[Sequence[Card]], object]) -> None:
    """Process the batches and print the rate by the clock, and by processor time if all processors were ours."""
    began, worked, count = time.perf_counter(), time.process_time(), sum(map(len, batches))
    with ThreadPoolExecutor(PROCESSORS) as threads:
        list(threads.map(process, batches))
    seconds, processor_s = time.perf_counter() - began, time.process_time() - worked
    rate = PROCESSORS * count / processor_s
    print(f"{text:50} {seconds:7.2f} s {count / seconds:7.0f} cards/s, by processor time {rate:7.0f} cards/s")


def main(count: int) -> None:
    """Print the figures."""
    campaign, typesetter, chance = load_campaign(SAMPLE), Typesetter(), random.Random(7)  # noqa: S311  (no secret)
    cards = [make_card(campaign, number, chance) for number in range(count)]
    batches = [cards[at : at + NOTICE_BATCH_LIMIT] for at in range(0, count, NOTICE_BATCH_LIMIT)]
    print(f"-- {count:,} cards in batches of {NOTICE_BATCH_LIMIT}, {PROCESSORS} processors, goal {GOAL} cards/s")
    for form in ("sealed", "open"):
        in_form = campaign.model_copy(update={"post": form})

        def print_batch(batch: Sequence[Card], in_form: Campaign = in_form) -> None:
            printed = print_cards(typesetter, in_form, batch)
            assert (printed.pages, printed.unfit) == (2 * len(batch), frozenset())

        print_batch([make_card(campaign, count, chance)])
        print_rate(f"{form}: two pages a card, barcode, fitted text", batches, print_batch)
    print_rate("limit: QR codes alone", batches, lambda batch: [draw_qr(card.passes[0].code) for card in batch])
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "plain.typ"
        template.write_text(_PLAIN, "utf-8")

        def set_plain_text(batch: Sequence[Card]) -> None:
            typesetter.pdf(template, {"texts": [f"{card.body} " for card in batch]})

        print_rate("limit: two pages a card of plain text", batches, set_plain_text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CARDS)
