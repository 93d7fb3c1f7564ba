"""`./kuji rehearsal`: move the clock of a running rehearsal to the next moment of its campaigns, or to a given time."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli.api import NotRunningError, read_record
from shared.dates import TOKYO

if TYPE_CHECKING:
    from deploy.demo.moments import Moment
    from shared.campaign import Campaign

rehearsal = typer.Typer(help="Move the clock of a rehearsal.", no_args_is_help=True)


@rehearsal.command("next")
def move_to_next() -> None:
    """Move the clock to the next moment of the campaigns: the window closes, the draw, a class, the close-out."""
    from deploy.demo.moments import find_next  # noqa: PLC0415
    from shared.clock import RehearsalClock, set_rehearsal_clock  # noqa: PLC0415

    clock_file, campaigns = _running_rehearsal()
    moment = find_next(campaigns, RehearsalClock(clock_file).now())
    if moment is None:
        raise typer.BadParameter("the last moment has passed; move on with ./kuji rehearsal at TIME")
    set_rehearsal_clock(clock_file, moment.reached_at)
    typer.echo(f"it is {_format(moment.reached_at)}: {_describe(moment)}")
    _show_next(campaigns, moment.reached_at)


@rehearsal.command("at")
def move_to(
    time: Annotated[str, typer.Argument(help="For example 2018-06-01T12:00; Japan's time unless an offset is given.")],
) -> None:
    """Move the clock to TIME. It cannot go back: what the services have done stays done."""
    from shared.clock import RehearsalClock, set_rehearsal_clock  # noqa: PLC0415

    clock_file, campaigns = _running_rehearsal()
    target, now = _parse(time), RehearsalClock(clock_file).now()
    if target < now:
        raise typer.BadParameter(f"it is {_format(now)} already; to begin again: ./kuji down, ./kuji up --rehearsal")
    set_rehearsal_clock(clock_file, target)
    typer.echo(f"it is {_format(target)}")
    _show_next(campaigns, target)


def _running_rehearsal() -> tuple[Path, "list[Campaign]"]:
    """Return the clock file and the campaigns of the running installation. Raises NotRunningError where it is real."""
    from shared.campaign import load_campaigns  # noqa: PLC0415

    record = read_record()
    if not record.get("clock_file"):
        raise NotRunningError("the installation is not a rehearsal; start one with ./kuji up --rehearsal")
    return Path(record["clock_file"]), list(load_campaigns(Path(record["campaigns_dir"])).values())


def _show_next(campaigns: "list[Campaign]", now: datetime) -> None:
    from deploy.demo.moments import find_next  # noqa: PLC0415

    moment = find_next(campaigns, now)
    typer.echo("nothing follows" if moment is None else f"next: {_format(moment.at)}: {_describe(moment)}")


def _describe(moment: "Moment") -> str:
    return f"{moment.campaign}: {moment.meaning}"


def _parse(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write the time as 2018-06-01T12:00 or 2018-06-01T12:00+09:00") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=TOKYO)


def _format(time: datetime) -> str:
    """Return the time in Japan to the second; fractions are cut off."""
    return (time.astimezone(TOKYO) - timedelta(microseconds=time.microsecond)).isoformat(" ")
