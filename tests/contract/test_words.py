"""Names and sentences follow the project's vocabulary (docs/glossary.md, CONTRIBUTING.md "Words")."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from deploy.web_build import build

ROOT = Path(__file__).resolve().parents[2]

REPLACED = {
    "ledger": "repository",
    "door": "entry point, fast_path, client",
    "doors": "entry point, fast_path, client",
    "standing": "stage, status, waiting list",
    "house": "paths, harness",
    "keeper": "daemon",
    "ladder": "retry policy, delay queue",
    "rung": "delay queue",
    "rungs": "delay queues",
    "poke": "notify",
    "together": "Batcher",
    "remembered": "cache",
    "remembering": "cache",
    "patience": "timeout, slow_clients",
    "situation": "holding, allocation state",
    "situations": "holdings, allocation states",
    "wish": "choice",
    "wishes": "choices, choice order",
    "enclosure": "attachment",
    "enclosures": "attachments",
    "tracing": "trace",
    "admission": "processing",
    "announcing": "events",
    "told": "notified",
    "heard": "consumed",
    "shelf": "page_cache",
    "wedge": "keyboard_scanner",
    "tries": "attempts, RateLimit",
    "relay": "mail_room, outbox_publisher",
    "relays": "mail_room, outbox_publisher",
}
"""Words that the vocabulary keeps for nothing or replaces, and what stands in their place."""

ALLOWED = {
    ("told", "services/notifier/"): "counted as told: sent without a bounce, posted or telephoned (ADR 27)",
    ("told", "shared/contracts/"): "counted as told (ADR 27)",
    ("told", "tests/"): "counted as told (ADR 27)",
    ("told", "deploy/"): "counted as told (ADR 27)",
    ("relay", "services/lottery/"): "a drand relay, the field's own word",
    ("relays", "services/lottery/"): "drand relays, the field's own word",
    ("relay", "shared/campaign/"): "a drand relay, the field's own word",
    ("relays", "shared/campaign/"): "drand relays, the field's own word",
    ("relay", "deploy/relay/"): "the drand relay of a rehearsal",
    ("relay", "tests/"): "drand relays",
    ("relays", "tests/"): "drand relays",
    ("admission", "services/intake/"): "the window in which intake admits applications",
    ("admission", "services/lottery/reception/"): "the admission window of a class, as docs/protocols.md names it",
    ("admission", "services/lottery/web/src/reception/"): "the admission window of a class",
    ("admission", "tests/"): "tests of intake's admission",
    ("house", "deploy/demo/"): "a house number of an address (号)",
    ("house", "services/vault/printroom/"): "a house number of an address (号)",
    ("house", "tests/unit/vault/test_address_numbers.py"): "a house number of an address (号)",
}
"""Exceptions: word and folder, with the reason."""

NO_VERB = frozenset(
    {"what", "who", "whoever", "whose", "whether", "how", "the", "a", "an", "one", "once", "nobody", "somebody"}
    | {"of", "with", "without", "every", "all", "only", "longest", "so", "as", "from"}
)
"""First words with which no docstring of a function begins (it begins with a verb)."""

JSON_EDGES = re.compile(r"(repository|endpoints|handlers|collections)\.py$|^shared/storage/")
"""Files that may take and give documents as they are stored or sent; shared/storage is the database adapter."""


NAMED_TUPLES = frozenset({"_replace", "_asdict", "_fields"})
"""Public methods of named tuples, which begin with an underscore so that no field can have their name."""


@dataclass(frozen=True)
class Name:
    """Name one identifier and where it is defined."""

    text: str
    file: str
    line: int

    @property
    def words(self) -> list[str]:
        return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", self.text)]


@cache
def python_files() -> tuple[str, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return tuple(name for name in listed.stdout.split() if (ROOT / name).exists())


@cache
def trees() -> tuple[tuple[str, tuple[ast.AST, ...]], ...]:
    """Return every Python file and the nodes of its syntax tree."""
    parsed = ((file, ast.parse((ROOT / file).read_text("utf-8"))) for file in python_files())
    return tuple((file, tuple(ast.walk(tree))) for file, tree in parsed)


@pytest.fixture(autouse=True, scope="module")
def _forget_trees() -> Iterator[None]:
    """Free the trees after this module: they are large, and the tests that follow do not need them."""
    yield
    trees.cache_clear()


def python_names() -> Iterator[Name]:
    """Yield files, classes, functions, arguments, variables and attributes that our own code defines."""
    for file, nodes in trees():
        yield Name(Path(file).stem, file, 1)
        for node in nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield Name(node.name, file, node.lineno)
            elif isinstance(node, ast.arg):
                yield Name(node.arg, file, node.lineno)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield Name(node.id if isinstance(node, ast.Name) else node.attr, file, node.lineno)


@cache
def typescript_names() -> tuple[dict[str, object], ...]:
    """Return what the TypeScript compiler says: name, file, line, and for types whether the DOM has the same name."""
    build.ensure_libraries()
    printed = build.node("tests/web/names.mjs")
    return tuple(json.loads(printed))


def is_allowed(word: str, file: str) -> bool:
    return any(word == allowed and file.startswith(folder) for allowed, folder in ALLOWED)


def replaced_words(names: Iterator[Name]) -> list[str]:
    return sorted(
        {
            f"{name.file}:{name.line} {name.text}: instead of {word!r} say {REPLACED[word]}"
            for name in names
            for word in name.words
            if word in REPLACED and not is_allowed(word, name.file)
        }
    )


def test_no_python_name_has_a_word_that_the_vocabulary_replaced():
    assert replaced_words(python_names()) == []


def test_no_typescript_name_has_a_word_that_the_vocabulary_replaced():
    names = (Name(str(row["name"]), str(row["file"]), int(str(row["line"]))) for row in typescript_names())
    assert replaced_words(names) == []


def test_no_typescript_type_has_the_name_of_a_type_of_the_browser():
    assert [row for row in typescript_names() if row["shadows"]] == []


def test_the_check_of_names_finds_a_replaced_word():
    assert replaced_words(iter([Name("DrawLedger", "shared/x.py", 3)])) == [
        "shared/x.py:3 DrawLedger: instead of 'ledger' say repository"
    ]


def test_every_docstring_of_a_function_begins_with_a_verb():
    wrong = [
        f"{file}:{node.lineno} {text.splitlines()[0]}"
        for file, nodes in trees()
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_property(node)
        if (text := ast.get_docstring(node)) and text.split()[0].strip("`.,:").lower() in NO_VERB
    ]
    assert wrong == []


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_class_or_module_begins_with_a_riddle():
    riddles = {"what", "who", "whoever", "whose", "whether", "how", "once", "nobody", "somebody"}
    wrong = [
        f"{file} {text.splitlines()[0]}"
        for file, nodes in trees()
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef)
        if (text := ast.get_docstring(node)) and text.split()[0].strip("`.,:").lower() in riddles
    ]
    assert wrong == []


def test_exceptions_end_in_error():
    wrong = [
        f"{file}:{node.lineno} {node.name}"
        for file, nodes in trees()
        for node in nodes
        if isinstance(node, ast.ClassDef) and not node.name.endswith(("Error", "Warning"))
        if any(ast.unparse(base).split(".")[-1].endswith(("Error", "Exception")) for base in node.bases)
    ]
    assert wrong == []


@pytest.mark.parametrize("top", ["services", "shared", "deploy"])
def test_documents_are_untyped_only_at_the_edges(top: str):
    wrong = [
        f"{file}:{node.lineno} {node.name}"
        for file, nodes in trees()
        if file.startswith(f"{top}/") and not JSON_EDGES.search(file)
        for node in nodes
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if any("dict[str, Any]" in ast.unparse(hint) for hint in _hints(node))
    ]
    assert wrong == []


def _hints(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.annotation is not None:
            yield argument.annotation
    if node.returns is not None:
        yield node.returns


def test_no_test_reads_private_names():
    wrong = [
        f"{file}:{node.lineno} {ast.unparse(node)}"
        for file, nodes in trees()
        if file.startswith("tests/")
        for node in nodes
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr) and node.attr not in NAMED_TUPLES
        if not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    ]
    assert wrong == []


def test_no_file_is_longer_than_one_sitting():
    lengths = {file: (ROOT / file).read_text("utf-8").count("\n") for file in python_files()}
    assert {file: lines for file, lines in lengths.items() if lines > 250 and not file.startswith("tests/")} == {}
