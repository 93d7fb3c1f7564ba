"""Read mail without fields of RFC 3464: prose of many mailers, automatic replies, letters of people. Pure.

`flufl.bounce` gets a plain message of decoded, cut lines: it decodes nothing itself, and its expressions take
quadratic time in the length of a line.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Final

from flufl.bounce import all_failures

from services.vault.mail.rules import phrases
from services.vault.mail.rules.reading import UNDEFINED, Reading, Verdict
from services.vault.mail.rules.report_text import Part, header, is_returned_mail, text_lines, without_returned_mail

_HEADERS: Final = ("From", "Subject", "X-Failed-Recipients", "To", "Reply-To")
_AUTO_HEADERS: Final = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply")
_STATUS: Final = re.compile(r"(?<![\d.])(5\.\d{1,3}\.\d{1,3})(?![\d.])")


@dataclass(frozen=True)
class _Signs:
    """Signs that a mail shows of what it is."""

    is_mailer: bool
    """The null sender or a daemon sent it, or it has the form of a report."""
    is_daemon: bool
    is_report: bool
    is_final: bool
    is_delay: bool
    is_automatic: bool
    is_permanent: bool
    """`flufl.bounce` found a recipient; it does not see in all prose that the mailer goes on trying."""
    is_temporary: bool
    subject: str
    text: str


def read_prose(message: Part, parts: Sequence[Part], sender: str) -> Reading:
    """Return the verdict on a mail without readable fields. `sender`: its envelope sender, empty for the null sender.

    What a mailer sent is `bounced` if it shows nothing else: its address names the one notice, and a card too many
    does less harm than an applicant who is not told.
    """
    signs = _read_signs(message, parts, sender)
    return Reading(_judge(signs), _status(signs))


def read_rejection(message: Part, parts: Sequence[Part]) -> Reading:
    """Return the verdict on a disposition notification that says that the mail was deleted.

    Some mailboxes refuse mail by such a notification (RFC 5429 §2.1.2); the recipient's program sends it too.
    """
    signs = _read_signs(message, parts, "")
    is_rejection = signs.is_final or signs.is_permanent or phrases.FAILURE_SUBJECT.search(signs.subject) is not None
    return Reading("bounced" if is_rejection else "unclear", _status(signs))


def _status(signs: _Signs) -> str:
    found = _STATUS.search(signs.text)
    return UNDEFINED if found is None else found[1]


def _judge(signs: _Signs) -> Verdict:
    if signs.is_final and signs.is_delay:
        return "unclear"
    if (signs.is_permanent and not signs.is_delay) or (signs.is_final and signs.is_mailer):
        return "bounced"
    if phrases.HELD.search(signs.text):
        return "unclear"
    if signs.is_temporary or (signs.is_delay and signs.is_mailer):
        return "silent"
    if signs.is_automatic and not _may_be_failure(signs):
        return "unclear" if phrases.GONE.search(signs.text) else "silent"
    return "bounced" if signs.is_mailer and not phrases.AWAY.search(signs.text) else "unclear"


def _read_signs(message: Part, parts: Sequence[Part], sender: str) -> _Signs:
    lines = text_lines(parts)
    subject = header(message, "Subject")
    text = "\n".join([subject, *without_returned_mail(lines)])
    temporary, permanent = _scan(message, lines)
    is_daemon = any(phrases.DAEMON.search(origin) for origin in (header(message, "From"), sender))
    is_report = _has_form_of_report(message, parts, subject)
    return _Signs(
        is_mailer=not sender or is_daemon or is_report,
        is_daemon=is_daemon,
        is_report=is_report,
        is_final=phrases.FINAL.search(text) is not None,
        is_delay=temporary or phrases.DELAY.search(text) is not None,
        is_automatic=_is_automatic(message, subject),
        is_permanent=permanent,
        is_temporary=temporary,
        subject=subject,
        text=text,
    )


def _has_form_of_report(message: Part, parts: Sequence[Part], subject: str) -> bool:
    """Return True for the form of RFC 3462, Exim's header, or a returned mail below the subject of a failure."""
    return (
        "X-Failed-Recipients" in message
        or message.get_content_type() == "multipart/report"
        or (phrases.FAILURE_SUBJECT.search(subject) is not None and any(is_returned_mail(part) for part in parts))
    )


def _is_automatic(message: Part, subject: str) -> bool:
    """Return True for an automatic reply: by RFC 3834, by the headers in use before it, or by its subject."""
    return (
        header(message, "Auto-Submitted").lower().startswith("auto-replied")
        or header(message, "Precedence").lower() in {"auto_reply", "auto-reply"}
        or any(name in message for name in _AUTO_HEADERS)
        or phrases.AUTOMATIC_SUBJECT.match(subject) is not None
    )


def _may_be_failure(signs: _Signs) -> bool:
    """Return True if an automatic mail shows any sign of a failure: Postfix and Exim mark reports as replies too."""
    return (
        signs.is_daemon
        or signs.is_final
        or signs.is_report
        or phrases.FAILURE_SUBJECT.search(signs.subject) is not None
        or phrases.UNDELIVERED.search(signs.text) is not None
    )


def _scan(message: Part, lines: Sequence[str]) -> tuple[bool, bool]:
    """Return whether `flufl.bounce` finds a temporary and a permanent failure; it may raise for odd mail."""
    plain: Part = Message()
    plain["From"] = header(message, "From") or "<>"
    for name in _HEADERS[1:]:
        if name in message:
            plain[name] = header(message, name)
    plain.set_payload("\n".join(lines))
    try:
        temporary, permanent = all_failures(plain)
    except Exception:  # noqa: BLE001  (seventeen detectors, each with errors of its own)
        return False, False
    return bool(temporary), bool(permanent)
