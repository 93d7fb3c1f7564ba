"""Find a name in a text: as written, in other widths and cases, broken over lines. Pure.

Errs towards yes. A Latin name of a few letters is looked for as words of its own, for `An` stands within any English
sentence; everything else is looked for anywhere, spaces or none.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_SHORT: Final = 8
_INVISIBLE: Final = frozenset({"Cf", "Cc"})


def names_one_of(secrets: Iterable[str], text: str) -> bool:
    words = _folded(text)
    squeezed = re.sub(r"\s+", "", words)
    return any(_named(_folded(secret), words, squeezed) for secret in secrets)


def _named(secret: str, words: str, squeezed: str) -> bool:
    parts = secret.split()
    whole = "".join(parts)
    if not whole:
        return False
    if len(whole) < _SHORT and whole.isascii():
        spelled = r"[\s,.]*".join(re.escape(part) for part in parts)
        return re.search(rf"(?<![a-z0-9]){spelled}(?![a-z0-9])", words) is not None
    return whole in squeezed


def _folded(text: str) -> str:
    """Width, case and what cannot be seen do not matter; line ends are spaces."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(" " if each in "\r\n\t" else each for each in plain if not _is_invisible(each))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE and character not in "\r\n\t"
