"""The command line: all groups of commands."""

import typer

from deploy.cli import (
    announcements,
    close_out,
    compose,
    demo,
    dev,
    draws,
    installation,
    notice_templates,
    papers,
    places,
    rehearsal,
    service_keys,
    staff,
    vault,
)
from deploy.cli import verify as checking
from deploy.web_build import build as pages

app = typer.Typer(
    name="kuji",
    help="Sealed applications, a verifiable draw, a result for every applicant, certified erasure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_NEEDING_PAGES = frozenset({"demo", "test", "up", "bench", "compose", "pages"})


@app.callback()
def bundled(context: typer.Context) -> None:
    """Sealed applications, a verifiable draw, a result for every applicant, certified erasure."""
    if context.invoked_subcommand in _NEEDING_PAGES:
        pages.ensure(lambda text: typer.echo(f"kuji: {text}", err=True))


app.command("demo")(demo.demo)
app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)(
    dev.run_tests
)
app.command("up")(installation.up)
app.command("down")(installation.down)
app.command("status")(installation.status)
app.add_typer(rehearsal.rehearsal, name="rehearsal")
app.command("verify")(checking.verify)
app.add_typer(staff.held, name="held")
app.add_typer(staff.parked, name="parked")
app.add_typer(staff.notices, name="notices")
staff.notices.command("templates")(notice_templates.list_templates)
staff.notices.command("preview")(notice_templates.preview)
staff.notices.command("release")(notice_templates.release)
staff.notices.command("announcements")(announcements.list_announcements)
app.command("announce")(announcements.announce)
app.add_typer(vault.prints, name="prints")
app.add_typer(draws.draw, name="draw")
app.add_typer(places.places, name="places")
app.add_typer(close_out.close_out, name="close-out")
app.add_typer(compose.compose, name="compose")
app.add_typer(service_keys.service_keys, name="service-keys")
app.command("papers")(papers.list_papers)
app.command("seal-paper")(papers.seal_paper)
app.command("fax-webhook")(papers.fax_webhook)
app.command("seal")(vault.seal)
app.command("signing-key")(vault.signing_key)
app.command("bench")(dev.bench)
app.command("lock")(dev.lock)
app.command("pages")(dev.bundle)


@app.command("help")
def help_(context: typer.Context) -> None:
    """Show this page."""
    assert context.parent is not None  # noqa: S101  (a command has its group)
    typer.echo(context.parent.get_help())
