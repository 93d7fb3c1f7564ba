"""The command line: all commands by name. A command's module is imported when the command is used, not before."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import typer
from typer import main as typer_main
from typer._click import Command, Context
from typer.core import TyperCommand

from deploy.web_build import build as pages

_NEEDING_PAGES = frozenset({"demo", "test", "up", "bench", "compose", "pages"})


@dataclass(frozen=True)
class Entry:
    """Module below `deploy/cli`, name of its function or group, and the line that `./kuji help` shows."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "demo": Entry(
        "demo",
        "demo",
        "Run the 777-days event: sealed applications, draw, notices, postcards, erasure, certificate.",
    ),
    "test": Entry(
        "dev",
        "run_tests",
        "Run every check and every test: ruff, mypy --strict, import-linter, tsc, pytest. Arguments go to pytest.",
    ),
    "up": Entry("installation", "up", "Start servers and services in the background; they stay until ./kuji down."),
    "down": Entry(
        "installation",
        "down",
        "Stop what ./kuji up started, remove its state, and clean up after runs that crashed.",
    ),
    "status": Entry(
        "installation",
        "status",
        "Show each process: address, health, waiting messages, parked and untrusted messages.",
    ),
    "rehearsal": Entry("rehearsal", "rehearsal", "Move the clock of a rehearsal."),
    "verify": Entry(
        "verify",
        "verify",
        "Check the transcript of a draw, a certificate of erasure, a receipt document, or a disclosure (PDF).",
    ),
    "held": Entry("staff", "held", "Applications that wait for a person's decision."),
    "parked": Entry("staff", "parked", "Messages that failed for good and wait for a person."),
    "notices": Entry("notices", "notices", "Notices and their states."),
    "announce": Entry(
        "announcements",
        "announce",
        "Announce to everybody, or to all who hold a class: by mail, and by card for those without mail.",
    ),
    "prints": Entry("vault", "prints", "Postcards to print."),
    "draw": Entry("draws", "draw", "The draw of a campaign."),
    "places": Entry("places", "places", "Places after the draw: given up, passed on, corrected."),
    "approvals": Entry("approvals", "approvals", "Acts of two people."),
    "close-out": Entry("close_out", "close_out", "Return, erase, certify."),
    "audit": Entry("audit", "audit", "Export the audit log, and verify an export offline."),
    "witness": Entry(
        "witness",
        "run_witness",
        "Cosign checkpoints of the vault's audit log that extend the last one seen, until stopped.",
    ),
    "compose": Entry("compose", "compose", "Running on containers (docker-compose.yml)."),
    "people": Entry("people", "people", "Accounts of staff."),
    "sign-in": Entry(
        "sign_in", "sign_in", "Sign in at this terminal: the vault's page shows a code, and commands then act for you."
    ),
    "sign-out": Entry("sign_in", "sign_out", "End the sign-in of this terminal."),
    "service-keys": Entry("service_keys", "service_keys", "Keys with which services sign (docs/operations.md)."),
    "backup": Entry("backup", "backup", "Copy the databases, or the vault's key folder; never both to one place."),
    "restore": Entry("backup", "restore", "Bring a copy back; what was erased since stays erased."),
    "vault-keys": Entry(
        "vault_keys",
        "vault_keys",
        "Change the passphrase of the vault, and rotate its keys; `--help` lists the commands.",
    ),
    "papers": Entry(
        "papers", "list_papers", "List papers in the vault's inbox: those that wait to be keyed, and those put aside."
    ),
    "seal-paper": Entry(
        "papers",
        "seal_paper",
        "Seal faxes and scans for the vault and send them; a clear file is removed after its receipt.",
    ),
    "fax-webhook": Entry(
        "papers",
        "fax_webhook",
        "Take faxes that a hosted service pushes. That service sees them in the clear: docs/operations.md.",
    ),
    "seal": Entry(
        "vault", "seal", "Seal the vault at once: nothing is decrypted until it is started again with its passphrase."
    ),
    "signing-key": Entry(
        "vault",
        "signing_key",
        "Print the vault's public signing key, to compare certificates with (`./kuji verify FILE --key …`).",
    ),
    "bench": Entry("dev", "bench", "Measure: each figure beside its limit in the same run. Never a gate."),
    "lock": Entry(
        "dev",
        "lock",
        "Renew the lock files from pyproject.toml: one for development, one per service, one for a vault with a token.",
    ),
    "pages": Entry(
        "dev",
        "bundle",
        "Bundle the pages where their sources have changed; `up`, `demo` and `test` do so by themselves.",
    ),
}

_FOR_ANOTHER_PROGRAM: Final = frozenset({"test", "vault-keys"})
_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


class DeferredCommand(TyperCommand):
    """Name and summary of a command or a group; whatever it is used for, the real one is imported and takes over."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: Context | None = None, **extra: Any
    ) -> Context:
        """Return the context of the real command."""
        assert self.name is not None  # noqa: S101  (taken from COMMANDS)
        return load(self.name).make_context(info_name, args, parent, **extra)


def load(name: str) -> Command:
    """Import the command or the group of commands. Raises KeyError for an unknown name."""
    entry = COMMANDS[name]
    target = getattr(import_module(f"deploy.cli.{entry.module}"), entry.attribute)
    if isinstance(target, typer.Typer):
        return typer_main.get_group(target)
    alone = typer.Typer(add_completion=False)
    if name in _FOR_ANOTHER_PROGRAM:
        alone.command(name, context_settings=_PASSED_ON, add_help_option=False)(target)
    else:
        alone.command(name)(target)
    return typer_main.get_command(alone)


app = typer.Typer(
    name="kuji",
    help="Sealed applications, a verifiable draw, a result for every applicant, certified erasure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def bundled(context: typer.Context) -> None:
    """Sealed applications, a verifiable draw, a result for every applicant, certified erasure."""
    if context.invoked_subcommand in _NEEDING_PAGES:
        pages.ensure(lambda text: typer.echo(f"kuji: {text}", err=True))


def _defer() -> None:
    """Run nothing: `DeferredCommand` hands over to the real command before."""


for _name, _entry in COMMANDS.items():
    app.command(_name, cls=DeferredCommand, help=_entry.summary, add_help_option=False)(_defer)


@app.command("help")
def help_(context: typer.Context) -> None:
    """Show this page."""
    assert context.parent is not None  # noqa: S101  (a command has its group)
    typer.echo(context.parent.get_help())
