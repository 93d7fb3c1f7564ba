"""Two thousand people who do not exist, each with the verdict the rules give them. Seeded and pure.

Realistic where it matters: names and addresses as people write them, families with one mailbox, pairs, people
without e-mail, mailboxes that bounce, people who may not apply, people who apply twice, programs that send
nonsense. Telephone numbers are of ranges not assigned in Japan, mail domains end in `.example` (RFC 2606).
"""

import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from deploy.demo import addresses, names
from deploy.demo.application import DemoApplication, Expected, Fault, Mailbox, encode
from deploy.demo.changes import change_minds
from deploy.demo.choices import ChoiceList, choose_classes, choose_in_vain, choose_scarce, find_scarce
from deploy.demo.households import Neighbourhood, Person
from shared import crockford
from shared.campaign import Campaign
from shared.codes import Code, entry_id, has_entry_number
from shared.contracts import Channel
from shared.ids import ApplicationId
from shared.json_types import JsonObject

_CHANNELS: Final[dict[Channel, int]] = {"web": 70, "fax": 20, "post": 10}
_MAILBOXES: Final[dict[Mailbox, int]] = {"none": 70, "takes": 885, "refuses": 30, "defers": 15}
"""Of a thousand web applicants: some without e-mail; of all applicants about 2 % bounce and 1 % defer."""
_DOMAINS: Final = (
    "docomo.example",
    "ezweb.example",
    "softbank.example",
    "gmail.example",
    "yahoo.example",
    "icloud.example",
    "shinjuku.example",
)
_FAULTS: Final[dict[Fault, str]] = {
    "purpose-version": "purpose-version",
    "unknown-member": "malformed",
    "age-and-grade": "malformed",
    "paper-mail": "channel-email",
    "not-json": "malformed",
}
_OTHER_SPELLING: Final = {0: 1, 1: 2, 2: 0, 3: 4, 4: 3}
"""How an applicant writes the own name the second time: other space, or the other width of kana."""


@dataclass(frozen=True)
class _Draft:
    """An application before it is written down."""

    person: Person
    asking: ChoiceList
    expected: Expected
    spelling: int
    fault: Fault = ""
    twin: ApplicationId | None = None
    by_mail: bool = False
    """Sent over the web, with a mailbox that takes mail."""


def population(campaign: Campaign, seed: int, size: int = 2000, canary: str | None = None) -> list[DemoApplication]:
    """`size` applications, the same for the same arguments; second applications of the same person stand last.

    `canary` (letters and digits, not digits alone) is woven into name, address, e-mail and guardian of everybody and
    fixes three digits of every telephone number; `needles` lists what to search for.
    """
    return _Writer(campaign, seed, canary or "").applications(size)


def needles(applications: Sequence[DemoApplication], canary: str) -> tuple[str, ...]:
    """Texts that occur wherever an identity field of these people occurs: the canary, and every telephone number."""
    phones = {form for each in applications for form in (each.phone, each.phone.replace("-", ""))}
    return (canary, canary.lower(), *sorted(phones))


class _Writer:
    def __init__(self, campaign: Campaign, seed: int, canary: str) -> None:
        self._campaign, self._canary = campaign, canary
        self._dice = random.Random(seed)  # noqa: S311  (people, not keys)
        neighbourhood = Neighbourhood(self._dice, canary)
        self._residents = neighbourhood.people(addresses.WARD_TOWNS)
        self._others = neighbourhood.people(addresses.OTHER_TOWNS)
        self._siblings = neighbourhood.siblings(addresses.WARD_TOWNS, min(find_scarce(campaign).eligibility.grades))
        self._sibling_numbers, self._mailbox_numbers = itertools.count(), itertools.count(1)
        self._families: dict[str, tuple[Mailbox, str]] = {}
        self._addresses: dict[ApplicationId, str | None] = {}

    def applications(self, size: int) -> list[DemoApplication]:
        twice = round(size * 0.02)
        drafts = [self._draft(kind) for kind in self._kinds(size - twice)]
        first = [self._write(draft) for draft in drafts]
        again = [self._write(draft) for draft in self._twins(list(zip(drafts, first, strict=True)), twice)]
        originals = {twin.twin for twin in again}
        return [*change_minds(first, originals), *again]

    def _kinds(self, size: int) -> list[str]:
        faults = itertools.islice(itertools.cycle(_FAULTS), max(len(_FAULTS), size // 200))
        siblings = ["siblings"] * 2 * max(10, size // 50)
        special = ["in-vain"] * round(size * 0.04) + ["elsewhere"] * round(size * 0.03) + list(faults) + siblings
        kinds = (special + ["good"] * max(0, size - len(special)))[:size]
        self._dice.shuffle(kinds)
        return kinds

    def _draft_sibling(self) -> _Draft:
        """Two children of one family and one mailbox ask for the same few places; one of them also in vain."""
        person = next(self._siblings)
        also_in_vain = next(self._sibling_numbers) % 2 == 0
        asking, refused = choose_scarce(self._campaign, person, also_in_vain=also_in_vain)
        expected = Expected("accepted", asking.classes, refused=refused)
        return _Draft(person, asking, expected, names.choose_spelling(self._dice), by_mail=True)

    def _draft(self, kind: str) -> _Draft:
        if kind == "siblings":
            return self._draft_sibling()
        person = next(self._others if kind == "elsewhere" else self._residents)
        spelling = names.choose_spelling(self._dice)
        if kind == "in-vain":
            asking, reason = choose_in_vain(self._dice, self._campaign, person)
            return _Draft(person, asking, _rejected(asking, reason), spelling)
        asking, refused = choose_classes(self._dice, self._campaign, person)
        if kind == "good":
            return _Draft(person, asking, Expected("accepted", asking.classes, refused=refused), spelling)
        if kind == "elsewhere":
            return _Draft(person, asking, _rejected(asking, "not-resident"), spelling)
        fault = next(each for each in _FAULTS if each == kind)
        return _Draft(person, asking, _rejected(asking, _FAULTS[fault]), spelling, fault)

    def _twins(self, written: list[tuple[_Draft, DemoApplication]], count: int) -> Iterator[_Draft]:
        good = [(draft, first) for draft, first in written if first.expected.status == "accepted"]
        for draft, first in self._dice.sample(good, min(count, len(good))):
            held = Expected("held", draft.asking.classes, frozenset({"duplicate"}), draft.expected.refused)
            spelling = _OTHER_SPELLING[draft.spelling]
            yield _Draft(draft.person, draft.asking, held, spelling, twin=first.application_id)

    def _write(self, draft: _Draft) -> DemoApplication:
        channel = self._dice.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
        if draft.fault == "paper-mail":
            channel = "fax"
        mailbox = self._dice.choices(list(_MAILBOXES), list(_MAILBOXES.values()))[0] if channel == "web" else "none"
        if draft.fault and draft.fault != "paper-mail":
            channel = "web"  # a handler keys no such content
        if draft.by_mail:
            channel, mailbox = "web", "takes"
        mailbox, address = self._mailbox(draft.person, mailbox)
        application_id = ApplicationId(str(uuid.UUID(int=self._dice.getrandbits(128), version=4)))
        code = self._code(application_id)
        self._addresses[application_id] = address
        expected = draft.expected
        if draft.twin is not None and self._addresses[draft.twin] == address:
            expected = replace(expected, status="superseded")
        return DemoApplication(
            application_id=application_id,
            channel=channel,
            code=code,
            plaintext=encode({**self._content(draft, address), "code": code}, draft.fault),
            expected=expected,
            mailbox=mailbox,
            phone=draft.person.household.phone,
            twin=draft.twin,
        )

    def _code(self, application_id: ApplicationId) -> Code:
        """Return the same code for the same seed, as no real applicant's program does."""
        while True:
            code = Code(crockford.encode(self._dice.randbytes(10), 16))
            if has_entry_number(entry_id(self._campaign.id, application_id, code)):
                return code

    def _content(self, draft: _Draft, mail_address: str | None) -> JsonObject:
        """Return the plaintext of `docs/protocols.md` §1."""
        person, household = draft.person, draft.person.household
        applicant: JsonObject = {
            "name": _name(draft),
            "postal_code": household.home.town.postal_code,
            "address": household.home.written(self._dice.randrange(5)),
            "phone": self._dice.choice((household.phone, household.phone.replace("-", ""))),
            **({"age": person.age} if person.grade is None else {"grade": person.grade}),
        }
        if draft.fault == "paper-mail":
            mail_address = self._address(person, "takes")
        if mail_address is not None:
            applicant["email"] = mail_address
        guardian = {"guardian": {"name": household.guardian.in_characters()}} if draft.asking.with_guardian else {}
        choices = [{"class": class_id, "seats": seats} for class_id, seats in draft.asking.choices]
        version = self._campaign.purpose.version
        return {"v": 2, "purpose_version": version, "applicant": applicant, **guardian, "choices": choices}

    def _mailbox(self, person: Person, mailbox: Mailbox) -> tuple[Mailbox, str | None]:
        """Return behaviour and address of a mailbox. The pupils of a household share the one that was named first."""
        if mailbox == "none":
            return "none", None
        if person.grade is None:
            return mailbox, self._address(person, mailbox)
        phone = person.household.phone
        if phone not in self._families:
            self._families[phone] = mailbox, self._address(person, mailbox)
        return self._families[phone]

    def _address(self, person: Person, mailbox: Mailbox) -> str:
        behaviour = {"refuses": "reject-5xx.", "defers": "defer-4xx."}.get(mailbox, "")
        mark = f"{self._canary}." if self._canary else ""
        who = f"{person.name.surname.latin}.{person.name.given.latin}{next(self._mailbox_numbers)}"
        return f"{behaviour}{mark}{who}@{self._dice.choice(_DOMAINS)}"


def _name(draft: _Draft) -> str:
    """Return the name as typed; a second application uses another width or space and common characters."""
    typed = names.spell(draft.person.name, draft.spelling)
    return names.in_plain_characters(typed) if draft.twin else typed


def _rejected(asking: ChoiceList, reason: str) -> Expected:
    return Expected("rejected", asking.classes, frozenset({reason}))
