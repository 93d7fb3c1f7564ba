"""One template: subject and text, in a small part of Jinja2's language (`template_check.py`). Pure."""

import re
from collections.abc import Mapping
from typing import Final

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.contracts import NoticeChannel

SUBJECT: Final = "Subject: "
"""Beginning of the first line of a mail's template."""

_GAPS: Final = re.compile(r"\n{3,}")


def make_environment() -> ImmutableSandboxedEnvironment:
    """Return an environment without globals, filters, tests or a loader, in which an unknown value is an error."""
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for names in (environment.globals, environment.filters, environment.tests):
        names.clear()
    return environment


def split_source(source: str, channel: NoticeChannel) -> tuple[str, str]:
    """Return templates of subject and body; a card has no subject. Raises ValueError for a mail without one."""
    if channel == "card":
        return "", source
    first, _, body = source.partition("\n")
    if not first.startswith(SUBJECT) or not first.removeprefix(SUBJECT).strip():
        raise ValueError(f"the first line of a mail must begin with {SUBJECT!r}")
    return first.removeprefix(SUBJECT), body


class NoticeTemplate:
    """Compiled template. Raises TemplateSyntaxError or ValueError for a source that is none."""

    def __init__(self, source: str, channel: NoticeChannel) -> None:
        environment = make_environment()
        subject, body = split_source(source, channel)
        self._subject, self._body = environment.from_string(subject), environment.from_string(body)

    def render(self, values: Mapping[str, object]) -> tuple[str, str]:
        """Return subject and body. The subject is one line; empty lines of the body stand alone."""
        subject = " ".join(self._subject.render(values).split())
        return subject, _GAPS.sub("\n\n", self._body.render(values).strip()) + "\n"
