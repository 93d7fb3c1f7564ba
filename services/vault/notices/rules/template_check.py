"""Check a template before it is released. Pure.

Templates may put in values, choose (`if`) and repeat (`for`): nothing else of Jinja2. So each name that a template
uses can be compared with the members that the values have (`values.py`), also in branches that no sample reaches.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Final, get_args, get_origin, get_type_hints

from jinja2 import TemplateError, TemplateSyntaxError, nodes

from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.samples import sample_notices
from services.vault.notices.rules.template import NoticeTemplate, make_environment, split_source
from services.vault.notices.rules.texts import NoticeTexts
from services.vault.notices.rules.values import VALUES
from shared.campaign import Campaign
from shared.contracts import NoticeChannel

MOST_CHARACTERS: Final[Mapping[NoticeChannel, int]] = {"mail": 20_000, "card": 2_000}
"""Length of the longest template; what fits on a card is seen when it is printed."""

_ADDRESS: Final = re.compile(
    r"[a-z][a-z0-9+.-]*://\S*|[\w.+-]+@[\w.-]+|(?<![\w.-])(?:[a-z0-9-]+\.)+[a-z]{2,}(?![\w-])(?:[:/]\S*)?",
    re.IGNORECASE,
)
"""Addresses of pages and mailboxes, also without a scheme: mail programs make links of them."""

_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.For, nodes.Compare,
    nodes.Operand, nodes.Const, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip

_LEAF: Final = object()
"""Form of a value that has no members."""


def find_mistakes(source: str, kind: str, channel: NoticeChannel, campaign: Campaign) -> Iterator[str]:
    """Yield the mistakes of a template, each as a sentence that says what to change."""
    if len(source) > MOST_CHARACTERS[channel]:
        yield f"has more than {MOST_CHARACTERS[channel]} characters"
        return
    try:
        parts = split_source(source, channel)
        trees = [make_environment().parse(part) for part in parts]
    except TemplateSyntaxError as error:
        yield f"line {error.lineno}: {error.message}"
        return
    except ValueError as error:
        yield str(error)
        return
    mistakes = [*_find_name_mistakes(trees, kind), *_find_addresses("".join(map(_written, trees)), ())]
    yield from mistakes or _find_mistakes_of_samples(source, kind, channel, campaign)


def _find_name_mistakes(trees: list[nodes.Template], kind: str) -> Iterator[str]:
    names = names_of(kind)
    subject, body = trees
    yield from _Names({name: form for name, form in names.items() if name != "name"}).check(subject)
    yield from _Names(names).check(body)


def names_of(kind: str) -> dict[str, object]:
    """Return the names that a template of this kind may use, with their members. None of them is a code."""
    return _members(VALUES[KINDS[kind].source])


def _members(values: type) -> dict[str, object]:
    """Return the forms of a class's members: a mapping for a value with members, a list of one form for a sequence."""
    hints = get_type_hints(values)
    return {member.name: _form(hints[member.name]) for member in fields(values)}


def _form(hint: object) -> object:
    if is_dataclass(hint) and isinstance(hint, type):
        return _members(hint)
    if get_origin(hint) is tuple:
        return [_form(get_args(hint)[0])]
    inner = [_form(part) for part in get_args(hint) if part is not type(None)]
    return inner[0] if inner else _LEAF


@dataclass
class _Names:
    """Names that are known at one place of a template."""

    known: Mapping[str, object]
    _mistakes: list[str] = field(default_factory=list)

    def check(self, node: nodes.Node) -> list[str]:
        """Return the mistakes below a node."""
        if not isinstance(node, _ALLOWED):
            return [f"line {node.lineno}: only values, `if` and `for` are allowed, not {type(node).__name__}"]
        if isinstance(node, nodes.Output):
            return [mistake for part in node.nodes for mistake in self._check_output(part)]
        if isinstance(node, nodes.For):
            return self._check_loop(node)
        if isinstance(node, nodes.Name | nodes.Getattr):
            return [] if self._form_of(node) is not None else [f"line {node.lineno}: `{_spell(node)}` is not known"]
        return [mistake for child in node.iter_child_nodes() for mistake in self.check(child)]

    def _check_output(self, node: nodes.Expr) -> list[str]:
        if isinstance(node, nodes.TemplateData):
            return []
        if not isinstance(node, nodes.Name | nodes.Getattr):
            return [f"line {node.lineno}: only values can be put in"]
        form = self._form_of(node)
        if form is None or form is _LEAF:
            return self.check(node)
        return [f"line {node.lineno}: `{_spell(node)}` has members and is no text"]

    def _check_loop(self, node: nodes.For) -> list[str]:
        form = self._form_of(node.iter)
        if not isinstance(form, list) or not isinstance(node.target, nodes.Name) or node.test or node.recursive:
            return [f"line {node.lineno}: `for` goes through a list, as in `for line in lines`"]
        inner = _Names({**self.known, node.target.name: form[0], "loop": {"first": _LEAF, "last": _LEAF}})
        return [mistake for child in (*node.body, *node.else_) for mistake in inner.check(child)]

    def _form_of(self, node: nodes.Node) -> object | None:
        if isinstance(node, nodes.Name):
            return self.known.get(node.name)
        if isinstance(node, nodes.Getattr):
            form = self._form_of(node.node)
            return form.get(node.attr) if isinstance(form, dict) else None
        return None


def _spell(node: nodes.Node) -> str:
    return f"{_spell(node.node)}.{node.attr}" if isinstance(node, nodes.Getattr) else str(getattr(node, "name", "?"))


def _written(tree: nodes.Template) -> str:
    """Return the text that stands in a template itself, in one piece: an address cannot hide behind an `if`."""
    return "".join(data.data for data in tree.find_all(nodes.TemplateData))


def _find_addresses(text: str, allowed: tuple[str, ...]) -> Iterator[str]:
    """Yield addresses in a text that the campaign file does not have."""
    plain = unicodedata.normalize("NFKC", text)
    for address in allowed:
        plain = plain.replace(unicodedata.normalize("NFKC", address), " ")
    if found := _ADDRESS.search(plain):
        yield f"holds an address, `{found[0]}`: addresses come from the campaign file, as in `{{{{ pages.verify }}}}`"


def _find_mistakes_of_samples(source: str, kind: str, channel: NoticeChannel, campaign: Campaign) -> Iterator[str]:
    """Render samples of every outcome; yield the first mistake."""
    texts = NoticeTexts(campaign, {(kind, channel): NoticeTemplate(source, channel)})
    for sample in sample_notices(kind, channel, campaign):
        try:
            subject, body = sample.render(texts)
        except TemplateError as error:
            yield f"cannot be rendered for a sample ({sample.title}): {error.message}"
            return
        if missing := [*_find_missing(subject, body, sample.receipt, campaign)]:
            yield f"{missing[0]} (sample: {sample.title})"
            return


def _find_missing(subject: str, body: str, receipt: str | None, campaign: Campaign) -> Iterator[str]:
    if receipt is not None and receipt not in body:
        yield "does not name the receipt number in the text"
    if receipt is not None and subject and receipt not in subject:
        yield "does not name the receipt number in the subject"
    for page in ("status", "verify"):
        address: str | None = getattr(campaign.pages, page)
        if address is not None and address not in body:
            yield f"does not name the page `pages.{page}`"
