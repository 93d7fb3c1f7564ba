"""Every command that staff use, against a whole installation: what it asks for is there, under the names it expects."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.cli.terminal_session import TerminalSession
from deploy.people.approvals import ApprovalRequest, draft, sign
from deploy.people.browser import ServiceAddress
from deploy.people.enrolment import SignedInPerson, enrol_all
from deploy.people.invented import HANDLER, RESPONSIBLE, WARD, invent
from shared.contracts import SERVICES
from tests.support.checkouts import Checkout
from tests.support.waiting import block_until

NO_APPROVAL = "a-" + "0" * 20


@pytest.fixture(scope="module")
def people() -> dict[str, SignedInPerson]:
    """Return the people who signed in, once the office has started."""
    return {}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, people: dict[str, SignedInPerson]) -> Iterator[Checkout]:
    """Start an installation of the sample campaign without applications."""
    checkout = Checkout.make(tmp_path_factory.mktemp("office") / "checkout")
    try:
        assert checkout.start("up").wait(150) == 0
        refused = checkout.kuji("held", "list")
        assert (refused.returncode, "./kuji sign-in" in refused.stderr) == (1, True)
        people |= _sign_in(checkout)
        yield checkout
        assert checkout.kuji("down").returncode == 0
    finally:
        checkout.clear()


def test_every_file_of_an_installation_is_for_its_owner_alone(office: Checkout) -> None:
    """Look at secrets, keys, logs, mails, broker and database alike."""
    folder = office.folder / ".kuji" / "run" / "up"
    found = {path: path.lstat().st_mode for path in (folder, *folder.rglob("*"))}
    loose = {
        str(path.relative_to(folder)): oct(stat.S_IMODE(mode))
        for path, mode in found.items()
        if stat.S_IMODE(mode) & 0o077 and not stat.S_ISLNK(mode) and not stat.S_ISSOCK(mode)
    }
    assert loose == {}
    assert {"logs", "state", "secrets", "keystore", "rabbitmq", "mongodb", "mailbox"} <= {
        path.name for path in found if path.parent == folder
    }


def _sign_in(checkout: Checkout) -> dict[str, SignedInPerson]:
    """Make people on duty today, and sign one of them, who has many roles, in at the terminal; return all."""
    folder = checkout.folder / ".kuji" / "run" / "up"
    record = json.loads((folder / "installation.json").read_text("utf-8"))
    services = {name: ServiceAddress.read(endpoint) for name, endpoint in record["services"].items()}
    first = invent(date(2000, 1, 1), date(2099, 12, 31), (RESPONSIBLE, WARD, HANDLER))
    many = {**first[2].fields, "roles": "handler ward auditor engineer"}
    token = Path(record["setup_token_file"]).read_text("utf-8")
    people = enrol_all(services, token, [*first[:2], replace(first[2], fields=many)])
    TerminalSession(folder, record["services"]).keep(people[-1].browser)
    return {person.account.id: person for person in people}


def asked(office: Checkout, *command: str) -> Any:
    finished = office.kuji(*command, "--json")
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.parametrize("group", ["held", "parked", "notices", "prints"])
def test_lists_of_waiting_work_are_empty_at_the_start(office: Checkout, group: str) -> None:
    assert asked(office, group, "list") == []
    assert office.kuji(group, "list").stdout.startswith(("nothing", "no "))


def test_parked_messages_can_be_asked_for_at_one_service(office: Checkout) -> None:
    assert asked(office, "parked", "list", "--service", "vault") == []


def test_a_draw_whose_time_has_come_is_seen_to_freeze_by_itself(office: Checkout) -> None:
    block_until(lambda: asked(office, "draw", "status")["state"] == "frozen")


def test_a_close_out_that_was_not_begun_is_open(office: Checkout) -> None:
    assert asked(office, "close-out", "status")["state"] == "open"


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (["held", "accept", str(uuid4())], "unknown-application"),
        (["parked", "replay", "vault", "0" * 32], "not-parked"),
        (["parked", "discard", "notifier", "0" * 32], "not-parked"),
        (["prints", "fetch", "absent", "cards.pdf", "--approval", NO_APPROVAL], "unknown-batch"),
        (["draw", "transcript", "transcript.json"], "lottery:"),
        (["close-out", "confirm", "0" * 64, "CODE"], "nothing-to-confirm"),
        (["close-out", "return", "package.age", "--approval", NO_APPROVAL], "no-ward-key"),
        (["close-out", "certificate", "certificates"], "no-certificate"),
    ],
)
def test_a_refusal_is_printed_with_its_name_and_leaves_no_file(
    office: Checkout, command: list[str], problem: str, tmp_path: Path
) -> None:
    command = [str(tmp_path / word) if "." in word else word for word in command]

    said = office.kuji(*command)

    assert said.returncode == 1
    assert said.stderr.startswith("kuji: ")
    assert problem in said.stderr
    assert list(tmp_path.rglob("*.*")) == []


def test_the_published_key_is_one_line_to_put_on_paper(office: Checkout) -> None:
    said = office.kuji("signing-key")

    assert said.returncode == 0
    assert len(said.stdout.strip()) == 43


def test_texts_are_previewed_and_released_by_an_approval(office: Checkout, people: dict[str, SignedInPerson]) -> None:
    assert {row["state"] for row in asked(office, "notices", "templates")} == {"not-released"}
    approval = draft(people[HANDLER], ApprovalRequest("release-templates", "777-days", "first-release"))
    sign(people[HANDLER], approval)

    refused = office.kuji("notices", "release", approval)
    sign(people[RESPONSIBLE], approval)
    released = office.kuji("notices", "release", approval)

    assert "approval-needed" in refused.stderr
    assert released.stdout.startswith("released: ")
    assert {row["state"] for row in asked(office, "notices", "templates")} == {"released"}
    assert "見本" in office.kuji("notices", "preview", "result", "card").stdout


@pytest.mark.usefixtures("office")
def test_sessions_that_one_person_ends_for_another_end_at_every_service(people: dict[str, SignedInPerson]) -> None:
    stolen, ward = people[RESPONSIBLE].browser, people[WARD].browser

    def statuses() -> set[int]:
        return {stolen.request(service, "GET", "/v1/queues").status_code for service in SERVICES}

    for service in SERVICES:
        stolen.headers(service)
    assert statuses() == {200}

    ended = ward.request("vault", "POST", "/desk/people/sessions/end", form={"id": RESPONSIBLE})

    assert ended.status_code == 200
    block_until(lambda: statuses() == {401})


def test_a_sealed_vault_is_seen_and_the_others_are_not_touched(office: Checkout) -> None:
    assert office.kuji("seal").returncode == 0

    states = {part: row["state"] for part, row in office.status().items()}

    assert states["intake"] == states["lottery"] == states["notifier"] == "ready"
    assert states["vault"] == "not ready"
    assert asked(office, "notices", "list") == [], "open sessions at other services go on"
