"""How answers look: a table for people, JSON where a machine reads."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine to read.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Campaign id, where there is more than one.")]
ActorOption = Annotated[str, typer.Option("--actor", envvar="KUJI_ACTOR", help="Your staff id; it is recorded.")]


def show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """`rows` as a table of `columns`; `empty` is said where there are none."""
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        typer.echo(empty)
    else:
        table = Table(*columns)
        for row in rows:
            table.add_row(*(_cell(row.get(column)) for column in columns))
        Console().print(table)


def show_one(value: dict[str, Any], *, as_json: bool) -> None:
    """One answer: member by member, or JSON."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
        return
    table = Table(show_header=False)
    for name, content in value.items():
        table.add_row(name, _cell(content))
    Console().print(table)


def _cell(value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
