"""The catalogues: every text of the pages, one file per language. A further language is a further file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import ConfigurationError

FOLDER: Final = Path(__file__).parent / "texts"
FIRST: Final = "ja"

_PROGRAM: Final = (
    "form.",
    "error.",
    "confirm.",
    "sending.",
    "failed.",
    "done.",
    "status.",
    "reason.",
    "grade.",
)


@dataclass(frozen=True)
class Catalogue:
    """`lang` is the BCP 47 tag; `prefix` stands before every path of this language ("" for Japanese)."""

    texts: Mapping[str, str]

    @property
    def lang(self) -> str:
        return self.texts["lang"]

    @property
    def prefix(self) -> str:
        return self.texts["prefix"]

    def say(self, key: str, **filling: object) -> str:
        """The text of `key` with its places filled. KeyError where there is none: a mistake of ours."""
        return self.texts[key].format(**filling) if filling else self.texts[key]

    def for_the_program(self) -> dict[str, str]:
        """What the form's program says by itself."""
        return {key: text for key, text in self.texts.items() if key.startswith(_PROGRAM)}


def load_catalogues(folder: Path = FOLDER) -> tuple[Catalogue, ...]:
    """Japanese first. Raises ConfigurationError where the languages do not say the same things."""
    found = [Catalogue(json.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.json"))]
    catalogues = sorted(found, key=lambda each: (each.lang != FIRST, each.lang))
    for each in catalogues[1:]:
        if differing := sorted(set(each.texts) ^ set(catalogues[0].texts)):
            raise ConfigurationError(f"texts/{each.lang}.json and texts/{FIRST}.json differ in: {', '.join(differing)}")
    return tuple(catalogues)
