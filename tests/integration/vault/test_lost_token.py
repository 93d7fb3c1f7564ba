"""A token that is away, refuses its PIN, or whose library is missing: the vault refuses and says what to do."""

import gc
import sys
from pathlib import Path

import pkcs11
import pytest
from pkcs11.types import Session

from services.vault.keys import access, token_login
from services.vault.keys.__main__ import main
from services.vault.keys.access import RootAccess, token_at
from services.vault.keys.campaign_keys import CampaignKeys
from services.vault.keys.errors import TokenAwayError
from services.vault.keys.keystore import Keystore
from services.vault.keys.refused_pin import MARK, RefusedPin
from services.vault.keys.token import Token
from services.vault.keys.token_login import TokenPlace
from shared.errors import ConfigurationError
from tests.support.identity_builders import CAMPAIGN, NOT_AFTER
from tests.support.soft_token import MODULE, PIN, SoftToken
from tests.support.waiting import until

# A keystore of the same process that logs in anew ends the searches of the others; the library says so in `__del__`.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def running(folder: Path, token: SoftToken) -> Keystore:
    """Return the keystore of a process that runs during the whole test."""
    keystore = Keystore.open(folder, token.access())
    keystore.ensure_campaign(CAMPAIGN, NOT_AFTER)
    return keystore


async def test_without_the_token_a_running_vault_refuses_everything_and_goes_on_when_it_is_back(
    token: SoftToken, running: Keystore, capsys: pytest.CaptureFixture[str]
):
    keys = running.campaign(CAMPAIGN)
    token.pull_out()

    async def is_refused() -> bool:
        return not await running.ready()

    await until(is_refused)
    for attempt in (lambda: running.campaign(CAMPAIGN), lambda: running.signing.sign(b"x"), running.staff_key):
        with pytest.raises(TokenAwayError, match=f"{token.label}.*plug it in"):
            attempt()
    fingerprint = keys.fingerprint
    del keys
    held = [one for one in gc.get_objects() if type(one) is CampaignKeys and one.fingerprint == fingerprint]
    assert held == [], "what was opened before is forgotten"
    token.plug_in()
    await until(running.ready)
    assert running.campaign(CAMPAIGN).fingerprint == fingerprint
    logged = capsys.readouterr().out
    assert "token-away" in logged
    assert "token-back" in logged
    assert PIN not in logged


def test_a_token_that_is_missing_at_the_start_is_named(folder: Path, token: SoftToken, running: Keystore):
    assert not running.locked
    token.pull_out()
    with pytest.raises(ConfigurationError, match=f"no token '{token.label}' answers; plug it in"):
        Keystore.open(folder, token.access())
    no_library = token_at(folder / "no.so", token.label, token.pin_file, folder)
    with pytest.raises(ConfigurationError, match="KUJI_TOKEN_MODULE"):
        Keystore.open(folder, RootAccess(token=no_library))
    with pytest.raises(ConfigurationError, match="KUJI_TOKEN_PIN_FILE"):
        token_at(MODULE, token.label, None, folder)


def test_a_wrong_pin_is_tried_once_and_by_a_person_again(
    folder: Path,
    token: SoftToken,
    running: Keystore,
    capsys: pytest.CaptureFixture[str],
):
    assert not running.locked
    given = list[str]()

    def wrong() -> str:
        given.append("a wrong one")
        return "1234-wrong"

    token.pin_file.write_text("1234-wrong")
    with pytest.raises(ConfigurationError, match="refuses the PIN") as refusal:
        Keystore.open(folder, token.access())
    assert "1234" not in str(refusal.value)
    access = RootAccess(
        token=Token(TokenPlace(MODULE, token.label, wrong, RefusedPin(folder, token.label, token.pin_file)))
    )
    for _ in range(3):
        with pytest.raises(ConfigurationError, match=r"last PIN .* was wrong"):
            Keystore.open(folder, access)
    assert given == [], "a service that starts again and again does not block the token"
    token.pin_file.write_text(PIN)
    with pytest.raises(ConfigurationError, match="vault-keys list"):
        Keystore.open(folder, token.access())
    main(["--folder", str(folder), *token.options, "list"])
    assert Keystore.open(folder, token.access()).signing.public == running.signing.public
    written = "".join(capsys.readouterr())
    assert PIN not in written
    assert "1234" not in written


def test_a_token_that_never_says_that_a_pin_was_wrong_gets_it_once_until_the_file_is_written_anew(
    folder: Path, token: SoftToken, running: Keystore, monkeypatch: pytest.MonkeyPatch
):
    assert not running.locked
    monkeypatch.setattr(token_login, "_DOUBTFUL", 0)
    given, read = list[str](), access.read_secret

    def counted(path: Path, name: str) -> str:
        given.append(read(path, name))
        return given[-1]

    monkeypatch.setattr(access, "read_secret", counted)

    def start(match: str) -> None:
        with pytest.raises(ConfigurationError, match=match):
            Keystore.open(folder, token.access())

    token.pin_file.write_text("1234-wrong")
    start("refuses the PIN")
    for _ in range(3):
        start(r"last PIN .* was wrong.*vault-keys list")
    assert given == ["1234-wrong"], "a service that starts again and again does not block the token"
    assert "1234" not in (token.folder.with_name(MARK)).read_text()
    token.pin_file.write_text("5678-wrong")
    start("refuses the PIN")
    start("last PIN")
    assert given == ["1234-wrong", "5678-wrong"]
    token.pin_file.write_text(PIN)
    assert Keystore.open(folder, token.access()).signing.public == running.signing.public
    assert not token.folder.with_name(MARK).exists()


def test_a_person_gives_a_refused_pin_again_by_the_command(
    folder: Path, token: SoftToken, running: Keystore, monkeypatch: pytest.MonkeyPatch
):
    assert not running.locked
    monkeypatch.setattr(token_login, "_DOUBTFUL", 0)
    refused = RefusedPin(folder, token.label, token.pin_file)
    refused.note(refused.stamp())
    vault = RootAccess(token=access.token_at(MODULE, token.label, token.pin_file, folder))
    with pytest.raises(ConfigurationError, match="last PIN"):
        Keystore.open(folder, vault)
    main(["--folder", str(folder), *token.options, "list"])
    assert Keystore.open(folder, token.access()).signing.public == running.signing.public
    assert not (folder / MARK).exists()


def test_a_vault_that_is_sealed_logs_out_of_its_token(running: Keystore):
    logged_in = count_sessions()
    running.lock()
    assert count_sessions() == logged_in - 1


def count_sessions() -> int:
    """Return how many sessions with tokens this process has."""
    return sum(1 for one in gc.get_objects() if issubclass(type(one), Session))


def test_without_the_package_a_vault_works_and_says_what_a_token_needs(
    folder: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch
):
    assert pkcs11
    for name in ("token", "token_login"):
        monkeypatch.delitem(sys.modules, f"services.vault.keys.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    assert Keystore.open(folder, PASSPHRASE).ensure_campaign(CAMPAIGN, NOT_AFTER)
    with pytest.raises(ConfigurationError, match="python-pkcs11 is not installed"):
        token_at(MODULE, token.label, token.pin_file, folder)
