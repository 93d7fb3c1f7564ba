"""The catalogues: every text of the pages, one file per language and folder. A further language is a further file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shared.errors import ConfigurationError

FIRST: Final = "ja"


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
        """Return the text of `key` with its fields filled in. Raises KeyError where there is none: a bug."""
        return self.texts[key].format(**filling) if filling else self.texts[key]

    def for_the_program(self, prefixes: tuple[str, ...]) -> dict[str, str]:
        """Return the texts that a page's program shows: those whose keys begin with one of `prefixes`."""
        return {key: text for key, text in self.texts.items() if key.startswith(prefixes)}


def load_catalogues(*folders: Path) -> tuple[Catalogue, ...]:
    """Japanese first; a key of a later folder replaces that of an earlier one.

    Raises ConfigurationError where the languages do not say the same things.
    """
    languages = sorted({path.name for folder in folders for path in folder.glob("*.json")})
    found = [Catalogue(_merged(folders, name)) for name in languages]
    catalogues = sorted(found, key=lambda each: (each.lang != FIRST, each.lang))
    for each in catalogues[1:]:
        if differing := sorted(set(each.texts) ^ set(catalogues[0].texts)):
            raise ConfigurationError(f"texts/{each.lang}.json and texts/{FIRST}.json differ in: {', '.join(differing)}")
    return tuple(catalogues)


def _merged(folders: tuple[Path, ...], name: str) -> dict[str, str]:
    merged: dict[str, str] = {}
    for folder in folders:
        if (folder / name).exists():
            merged.update(json.loads((folder / name).read_text("utf-8")))
    return merged
