"""Turn the errors of a further round into problems that tell the reader what to do next (RFC 9457)."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.lottery.draw.problems import Problems
from services.lottery.places.further_seats import FurtherRoundImpossibleError, Obstacle
from shared.web import ProblemError, problem


class _Text(NamedTuple):
    ja: str
    en: str


_TEXTS: Final[Mapping[Obstacle, _Text]] = {
    "offers": _Text(
        "回答を待っている席があります。回答か期限の後に、もう一度実行してください。",
        "Wait until the offers are answered or expire.",
    ),
    "no-seats": _Text(
        "空席があり、待つ人がいない教室が必要です。待つ人がいる教室の空席は、順番にお知らせしています。",
        "A class takes part if it has free seats, no entry waits for it, and it is yet to begin when it is drawn.",
    ),
    "no-entries": _Text("追加抽選に加われる申込みがありません。", "No entry could take part."),
}  # fmt: skip


def _impossible(error: FurtherRoundImpossibleError) -> ProblemError:
    text = _TEXTS[error.obstacle]
    return problem("no-further-round", 409, "追加抽選はできません", text.ja, en=text.en, obstacle=error.obstacle)


FURTHER_PROBLEMS: Final[Problems] = {FurtherRoundImpossibleError: _impossible}
