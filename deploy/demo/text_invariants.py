"""Invariants of the texts that reached applicants: one for each application, and right about every class. Pure."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from deploy.demo.application import DemoApplication
from deploy.demo.delivered import DeliveredText
from deploy.demo.facts import Facts, Invariant, report
from shared.campaign import Campaign
from shared.contracts import SlipOutcome
from shared.ids import Receipt

_WORDS: Final[Mapping[tuple[str, str | None], str]] = {
    ("lost", "clash"): "時間が重なります",
    ("lost", "limit"): "お一人が当選できるのは",
}
"""Words that must stand beside a class, by outcome and reason. Others: by outcome alone."""

_WORDS_OF_OUTCOME: Final = {"won": "当選", "waiting": "補欠", "lost": "落選", "refused": "対象外"}

_RESULTS: Final = ("result", "rejected")
_TAKING: Final = ("takes", "defers")
"""Behaviour of mailboxes that take mail, at once or after a while."""


def check_texts(facts: Facts) -> Iterator[Invariant]:
    """Yield the invariants. Yield nothing if the rehearsal cannot look into the mailbox."""
    if facts.texts is None:
        return
    yield _one_recipient_each(facts, facts.texts)
    yield _one_result_each(facts, facts.texts)
    yield _every_class_explained(facts, facts.texts)
    yield _acknowledgements(facts, facts.texts)
    yield _second_applications(facts, facts.texts)
    yield _confirmations(facts, facts.texts)
    yield _announcements(facts, facts.texts)


def _one_recipient_each(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check R-S4 for single notices: one recipient, no other address than that and the office's, one receipt number."""
    office = _office(facts)
    mails = [text for text in texts if text.channel == "mail" and not text.is_announcement]
    wrong = [
        mail.place
        for mail in mails
        if len(mail.recipients) != 1
        or mail.addresses - office - set(mail.recipients)
        or len(mail.receipts) != 1
        or not mail.kind
    ]
    name = "every single mail has one recipient, shows no other address, and names one receipt number"
    return Invariant(name, not wrong, report(wrong, f"{len(mails)} mails read"))


def _one_result_each(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check R-B8 where the texts arrived: a mail counts only in the mailbox that the application named."""
    results = [text for text in texts if text.kind in _RESULTS]
    due = [each.application_id for each in facts.sent if facts.result_kind(each)]
    by_receipt = _by_receipt(results)
    wrong = []
    for application in facts.sent:
        of_receipt = by_receipt.get(facts.receipt_of(application.application_id), ())
        arrived = [
            text for text in of_receipt if _reached(text, application) and _is_right_kind(facts, application, text)
        ]
        expected = 1 if facts.result_kind(application) else 0
        if len(arrived) != expected or len(of_receipt) != expected:
            wrong.append(f"{application.application_id} ({len(arrived)} texts)")
    channels = Counter(text.channel for text in results)
    if len(results) != len(due):
        wrong.append(f"{len(results)} texts for {len(due)} applications")
    name = "each application in the draw, rejected or withdrawn has one text of its own, in its mailbox or printed"
    return Invariant(name, not wrong, report(wrong, f"{channels['mail']} mails, {channels['post']} cards read"))


def _is_right_kind(facts: Facts, application: DemoApplication, text: DeliveredText) -> bool:
    return text.kind == facts.result_kind(application)


def _every_class_explained(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check that each result says for every class what happened and why."""
    by_receipt, wrong = _by_receipt([text for text in texts if text.kind == "result"]), []
    for receipt, outcomes in facts.outcomes.items():
        texts_of = by_receipt.get(receipt, ())
        if not all(_explains(text.text, facts.campaign, outcomes) for text in texts_of):
            wrong.append(str(receipt))
    reasons = Counter(outcome.reason or outcome.outcome for each in facts.outcomes.values() for outcome in each)
    seen = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return Invariant("each result says for every class what happened and why", not wrong, report(wrong, seen))


def _acknowledgements(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check that every mailbox of a complete application has its acknowledgement: duplicates are not told apart."""
    by_receipt = _by_receipt([text for text in texts if text.kind == "acknowledgement"])
    expected = {
        facts.receipt_of(each.application_id): each
        for each in facts.sent
        if each.expected.own_status == "complete" and each.mailbox in _TAKING
    }
    wrong = [*_not_told_once(expected, by_receipt), *(receipt for receipt in by_receipt if receipt not in expected)]
    name = "each complete application with a mailbox has one acknowledgement, a second application too"
    return Invariant(name, not wrong, report(wrong, f"{len(expected)} acknowledgements read"))


def _second_applications(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check that each copy is told once of the standing application, and no application in the draw is."""
    by_receipt = _by_receipt([text for text in texts if text.kind == "same-person"])
    copies = {
        facts.receipt_of(each.application_id): each
        for each in facts.sent
        if each.expected.status == "superseded" and each.mailbox in _TAKING
    }
    second = {
        facts.receipt_of(each.application_id)
        for each in facts.sent
        if each.expected.status in {"superseded", "held"} and not facts.is_drawn(each)
    }
    wrong = [*_not_told_once(copies, by_receipt), *(receipt for receipt in by_receipt if receipt not in second)]
    name = "each copy is told once, where the standing application is told, that it is not in the draw"
    return Invariant(name, not wrong, report(wrong, f"{sum(map(len, by_receipt.values()))} texts read"))


def _not_told_once(
    expected: Mapping[Receipt, DemoApplication], by_receipt: Mapping[Receipt, Sequence[DeliveredText]]
) -> Iterator[Receipt]:
    """Yield the receipts of applications whose mailbox has not exactly one of these texts."""
    for receipt, application in expected.items():
        if [text.recipients for text in by_receipt.get(receipt, ())] != [(mail_address(application),)]:
            yield receipt


def _confirmations(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check that everybody who gave a place up, or took one, has that in writing."""
    played = facts.played
    wrong = []
    for kind, receipts in (("place-withdrawn", played.withdrawn), ("place-won", played.accepted)):
        by_receipt = _by_receipt([text for text in texts if text.kind == kind])
        wrong += [f"{receipt} ({kind})" for receipt in receipts if len(by_receipt.get(Receipt(receipt), ())) != 1]
        wrong += [f"{receipt} ({kind})" for receipt in by_receipt if receipt not in receipts]
    seen = f"{len(played.withdrawn)} given up, {len(played.accepted)} passed on"
    return Invariant("each place given up or passed on is confirmed in one text", not wrong, report(wrong, seen))


def _announcements(facts: Facts, texts: Sequence[DeliveredText]) -> Invariant:
    """Check R-S4 for mails to several: everybody of the announcement has it once, and it shows no other address."""
    mails = [text for text in texts if text.is_announcement and text.channel == "mail"]
    wrong = [
        mail.place for mail in mails if mail.addresses - _office(facts) or facts.campaign.office.mail_to not in mail.to
    ]
    reached = Counter(address for mail in mails for address in mail.recipients)
    expected = Counter(
        str(mail_address(each))
        for each in facts.sent
        if each.mailbox in _TAKING and facts.receipt_of(each.application_id) in facts.played.announced
    )
    if set(reached) != set(expected) or reached - expected:
        wrong.append(f"{reached.total()} of {expected.total()} people")
    seen = f"{len(mails)} mails to {reached.total()} people"
    return Invariant(
        "an announcement reaches everybody it is for and shows nobody's address", not wrong, report(wrong, seen)
    )


def _explains(text: str, campaign: Campaign, outcomes: Sequence[SlipOutcome]) -> bool:
    """Return True if each class is named, with the words of its outcome before the next class is named."""
    places = {outcome.class_id: text.find(_title(campaign, outcome)) for outcome in outcomes}
    if min(places.values()) < 0:
        return False
    for outcome in outcomes:
        start = places[outcome.class_id]
        ends = [place for place in places.values() if place > start]
        words = _WORDS.get((outcome.outcome, outcome.reason)) or _WORDS_OF_OUTCOME[outcome.outcome]
        if words not in text[start : min(ends, default=len(text))]:
            return False
    return True


def _title(campaign: Campaign, outcome: SlipOutcome) -> str:
    event_class = campaign.event_class(outcome.class_id)
    return re.sub(r"\s+", "", event_class.title.ja if event_class else outcome.class_id)


def _office(facts: Facts) -> frozenset[str]:
    return frozenset({facts.campaign.office.mail_from, facts.campaign.office.mail_to})


def _by_receipt(texts: Sequence[DeliveredText]) -> Mapping[Receipt, Sequence[DeliveredText]]:
    found: defaultdict[Receipt, list[DeliveredText]] = defaultdict(list)
    for text in texts:
        for receipt in text.receipts:
            found[receipt].append(text)
    return found


def _reached(text: DeliveredText, application: DemoApplication) -> bool:
    return text.channel == "post" or text.recipients == (mail_address(application),)


def mail_address(application: DemoApplication) -> str | None:
    """Return the mail address that the application names, None if it names none or cannot be read."""
    try:
        address = json.loads(application.plaintext)["applicant"].get("email")
    except (ValueError, KeyError):
        return None
    return None if address is None else str(address)
