"""Sign in at a service under test: with the staff token, or by assertions of a vault that the test plays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.routing import Host

from shared.signing import SigningKey
from shared.staff_roles import Role
from shared.storage import Store
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.assertion import Assertion, write_assertion

DEFAULT = "yamada-01"


def token_access(store: Store, token_file: Path) -> StaffAccess:
    """Return an access that admits the staff token only."""
    return StaffAccess.make(
        "lottery", store, {}, token_file=token_file, vault_key_file=None, state_dir=token_file.parent
    )


class PlayedVault:
    """A vault that signs in one person without asking: with a browser, by way of `vault.localhost`."""

    def __init__(
        self,
        port: int,
        folder: Path,
        staff_id: str = DEFAULT,
        roles: frozenset[Role] = frozenset(Role),
        service: str = "lottery",
    ) -> None:
        self.signing, self.staff_id, self.roles = SigningKey.generate(), staff_id, roles
        self.service = service
        self.address, self.site = f"http://vault.localhost:{port}", f"http://{service}.localhost:{port}"
        self._folder = folder
        (folder / "vault-key").write_text(self.signing.public, "ascii")

    def access(self, store: Store, token_file: Path | None = None) -> StaffAccess:
        """Return the service's access, which trusts this vault."""
        return StaffAccess.make(
            self.service,
            store,
            {"vault": self.address, self.service: self.site},
            token_file=token_file,
            vault_key_file=self._folder / "vault-key",
            state_dir=self._folder,
        )

    def assertion(self, nonce: str, **changed: object) -> str:
        """Return a signed assertion; `changed` replaces members of it."""
        now = datetime.now(UTC)
        right = {
            "aud": self.service, "sub": self.staff_id, "roles": self.roles, "auth_time": now, "method": "password+totp",
            "nonce": nonce, "sid": "a-session", "until": now + timedelta(hours=12),
        }  # fmt: skip
        return write_assertion(self.signing, Assertion(**{**right, **changed}))  # type: ignore[arg-type]

    def serve_beside(self, app: FastAPI) -> None:
        """Answer at `vault.localhost` on the port of the service under test."""
        vault = FastAPI()

        @vault.get("/sign-in")
        async def sign_in(request: Request) -> RedirectResponse:
            assertion = self.assertion(request.query_params["nonce"])
            return RedirectResponse(f"{self.site}/signed-in?assertion={assertion}", 303)

        app.router.routes.insert(0, Host("vault.localhost", vault))
