"""Output of the commands: tables for people, JSON for programs.

Ids are for copying, so no cell is ever cut: what does not fit into the window is printed as lines instead of a table.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from shared.json_types import JsonObject

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Campaign id, where there is more than one.")]

_UNBOUNDED = 10_000
"""Columns of a window in which every table fits, to measure the width that a table needs."""


def show(rows: Sequence[JsonObject], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Print `rows` as a table of `columns`, or one after the other where it does not fit; `empty` if there are none."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    if not rows:
        typer.echo(empty)
        return
    cells = [[_format(row.get(column)) for column in columns] for row in rows]
    table = Table(*columns)
    for line in cells:
        table.add_row(*line)
    _print(table, (zip(columns, line, strict=True) for line in cells))


def show_one(value: JsonObject, *, as_json: bool) -> None:
    """Print one answer: member by member, inner members as `outer.inner`; or JSON."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
        return
    members = list(_flatten(value))
    table = Table(show_header=False)
    for name, text in members:
        table.add_row(name, text)
    _print(table, [members])


def _print(table: Table, records: Iterable[Iterable[tuple[str, str]]]) -> None:
    """Print the table where it fits; else each record as lines of name and text, with a blank line between."""
    console = Console(highlight=False, markup=False)
    wide = console.options.update(width=_UNBOUNDED)
    if console.measure(table, options=wide).maximum <= console.width:
        console.print(table)
        return
    for number, record in enumerate(records):
        if number:
            typer.echo()
        for name, text in record:
            for line in text.split("\n"):
                typer.echo(f"{name}: {line}".rstrip())


def _flatten(value: JsonObject, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, content in value.items():
        if isinstance(content, dict) and content:
            yield from _flatten(content, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _format(content)


def _format(value: object) -> str:
    """Return a value as people write it: nothing for none, yes and no, one line for each object of a list."""
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_format(content)}" for name, content in value.items())
    if isinstance(value, list):
        separator = "\n" if any(isinstance(content, Mapping) for content in value) else ", "
        return separator.join(_format(content) for content in value)
    return str(value)
