"""Typeset pages with typst (ADR 0009): a template and data become a PDF. Data is never written into the template."""

import json
import os
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import typst

from shared.errors import ConfigurationError, PermanentError
from shared.font_coverage import printable

FONT_DIRS: Final = (
    Path("/usr/share/fonts/truetype/ipamj"),
    Path("/usr/share/fonts/opentype/ipaexfont-gothic"),
)
"""Folders of Debian's fonts-ipamj-mincho (every kanji of the family registers) and fonts-ipaexfont-gothic."""

_NEEDED: Final = ("IPAmjMincho", "IPAexGothic")
_REPEATED: Final = 32
"""Documents that are kept because they are needed again."""

_PANIC: Final = re.compile(r'panicked with: "?([a-z]+:[0-9]+)\b')


class TypesettingError(PermanentError):
    """Raised when the template refused the data. `code` is its panic, or `template`; never the text to be printed."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the page could not be set ({code})")
        self.code = code


class Typesetter:
    """Typeset documents from any thread, as many at a time as there are processors; the fonts stay loaded.

    typst gives up Python's lock while it works.

    Only our fonts and typst's own are used, not those of the machine, so that a page looks the same everywhere.
    Raises ConfigurationError if ours are missing.
    """

    def __init__(self, font_dirs: Sequence[Path] = FONT_DIRS) -> None:
        self._fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(folder) for folder in font_dirs])
        self._places = threading.BoundedSemaphore(os.cpu_count() or 1)
        self._repeated: dict[str, bytes] = {}
        missing = sorted(set(_NEEDED) - set(self._fonts.families()))
        if missing:
            raise ConfigurationError(
                f"font {missing[0]} is missing; install the Debian packages fonts-ipamj-mincho and fonts-ipaexfont, "
                "or set KUJI_FONT_DIRS to the folders that hold the fonts"
            )
        names = next(font for font in self._fonts.fonts() if font.family == _NEEDED[0])
        self._printable = printable(Path(str(names.path)))

    def prints(self, text: str) -> bool:
        """Return True if the fonts have every character of the text; a missing one would be printed as a box."""
        return all(ord(character) in self._printable for character in text)

    def repeated_pdf(self, template: Path, data: Mapping[str, Any]) -> bytes:
        """Return a PDF that is needed again and again, such as a background; it is set once. Raises as `pdf`."""
        key = json.dumps([str(template), data], sort_keys=True)
        if key not in self._repeated:
            if len(self._repeated) >= _REPEATED:
                self._repeated.clear()
            self._repeated[key] = self.pdf(template, data)
        return self._repeated[key]

    def pdf(
        self, template: Path, data: Mapping[str, Any], *, standard: Literal["1.7", "a-3b"] = "1.7", **files: bytes
    ) -> bytes:
        """Set `template` with `data` (`sys.inputs.data`, JSON) and UTF-8 files that it shows or attaches (by name).

        Raises TypesettingError.
        """
        inputs = {"data": json.dumps(data, ensure_ascii=False)} | {
            name: content.decode("utf-8") for name, content in files.items()
        }
        with self._places:
            try:
                return typst.compile(
                    template,
                    root=template.parent,
                    font_paths=self._fonts,
                    sys_inputs=inputs,
                    format="pdf",
                    pdf_standards=[standard],
                )
            except typst.TypstError as error:
                raise TypesettingError(_panic_code(error.message)) from None


def _panic_code(message: str) -> str:
    """Return the code of our templates' panic; any other message may quote data and is not repeated."""
    panicked = _PANIC.search(message)
    return panicked[1] if panicked else "template"
