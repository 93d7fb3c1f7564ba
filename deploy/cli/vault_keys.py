"""`./kuji vault-keys`: passphrase and keys of the vault of `./kuji up`, changed while it runs."""

import typer

from deploy.cli.installation import HOME


def vault_keys(context: typer.Context) -> None:
    """Change the passphrase of the vault, and rotate its keys; `--help` lists the commands.

    On an installation of your own: `python -m services.vault.keys` on the vault's host, as the vault's user.
    """
    from services.vault.keys.__main__ import main  # noqa: PLC0415  (the vault's packages, which no other command needs)

    places = ["--folder", str(HOME / "keystore"), "--passphrase-file", str(HOME / "secrets" / "vault.passphrase")]
    main([*places, *context.args])
