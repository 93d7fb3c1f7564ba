"""Sign in at a service under test: by assertions of a vault that the test plays, or at the vault itself."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.routing import Host

from services.vault.keys.keystore import Keystore
from services.vault.people.repository import AccountRepository
from services.vault.people.rules.account import Account, AccountState, StaffId, Training
from services.vault.people.session_repository import PreviousSignIn, SessionRepository
from shared.contracts import SERVICES
from shared.signing import SigningKey
from shared.staff_roles import Role
from shared.storage import Store, UnitOfWork
from shared.web.sign_in.access import StaffAccess
from shared.web.sign_in.assertion import Assertion, read_assertion, write_assertion
from shared.web.sign_in.session_repository import ServiceSessionRepository

DEFAULT = "yamada-01"


ORIGINS = {service: f"http://{service}.localhost" for service in SERVICES}
"""Origins of services whose port the test does not know beforehand; programs send them as they stand."""

ALL_ROLES = frozenset(Role)


def staff_access(service: str, store: Store, folder: Path) -> StaffAccess:
    """Return an access for sessions that the test puts into the store."""
    return StaffAccess.make(service, store, ORIGINS, vault_key_file=None, state_dir=folder)


async def sign_in_at(
    store: Store, service: str, staff_id: str = DEFAULT, roles: Iterable[Role] = ALL_ROLES
) -> dict[str, str]:
    """Start a session at the service by an assertion of the test's own vault; return a program's headers."""
    signing, now = SigningKey.generate(), datetime.now(UTC)
    claimed = Assertion(
        service, staff_id, frozenset(roles), now, "password+totp", "A" * 48, "a-session", now + timedelta(hours=12)
    )
    text = write_assertion(signing, claimed)
    assertion = read_assertion(text, audience=service, public_keys=[signing.public], now=now)
    secret = await ServiceSessionRepository(store).start(assertion)
    return {"Origin": ORIGINS[service], "Cookie": f"kuji-session={secret}"}


async def sign_in_at_vault(
    store: Store,
    keystore: Keystore,
    staff_id: str = DEFAULT,
    roles: Iterable[Role] = ALL_ROLES,
    origin: str = ORIGINS["vault"],
) -> dict[str, str]:
    """Make an account that is on duty for a century and a session of it; return a program's headers."""
    accounts, sessions = AccountRepository(store, keystore), SessionRepository(store)
    account = _account(StaffId(staff_id), frozenset(roles))

    async def enrol(uow: UnitOfWork) -> str:
        now = datetime.now(UTC)
        if await accounts.find(account.id, uow.session) is None:
            await accounts.insert(uow, account, now)
            await accounts.set_admitted(uow, account.id, admitted=True, not_before=now)
        if not await accounts.is_set_up():
            await accounts.begin_setup(uow, (account.id, account.id))
            await accounts.record_first_sign_in(uow, account.id)
        return await sessions.start(uow, account.id, "password+totp", datetime.now(UTC), PreviousSignIn(None, 0))

    secret = await store.transact(enrol)
    return {"Origin": origin, "Cookie": f"kuji-session={secret}"}


def _account(staff_id: StaffId, roles: frozenset[Role]) -> Account:
    begin, end = date(2000, 1, 1), date(2099, 12, 31)
    training = (Training("course", begin, end, "teacher"),)
    return Account(
        staff_id, "氏名", "事務局", "staff@office.example", roles, begin, end, (), training, begin, AccountState.ACTIVE
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

    def access(self, store: Store) -> StaffAccess:
        """Return the service's access, which trusts this vault."""
        return StaffAccess.make(
            self.service,
            store,
            {"vault": self.address, self.service: self.site},
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
