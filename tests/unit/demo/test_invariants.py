"""Each thing the demo says must hold can be seen to break."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.demo.application import DemoApplication
from deploy.demo.delivered import DeliveredText
from deploy.demo.facts import Facts, Notice, Played, Status, VaultCount
from deploy.demo.invariants import check
from deploy.demo.people import population
from deploy.demo.text_invariants import mail_address
from shared.campaign import load_campaign
from shared.contracts import SlipOutcome
from shared.ids import ClassId, Receipt
from shared.receipts import candidates
from tests.support.applicants import RECEIPT_KEY

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
PEOPLE = population(CAMPAIGN, 3, 200)


_WORDS = {"result": "抽選の結果", "rejected": "この申込みは抽選の対象になりません"}
HOLDER = next(each for each in PEOPLE if each.expected.status == "accepted" and each.mailbox == "takes")
RECEIPT = next(candidates(RECEIPT_KEY, HOLDER.channel, HOLDER.application_id))
ADDRESS = str(mail_address(HOLDER))
CONFIRMATION = DeliveredText(
    "mail", "confirmation", (ADDRESS,), frozenset({RECEIPT}), frozenset({ADDRESS}), "辞退のお手続きを承りました"
)
OFFICE = CAMPAIGN.office.mail_to
ANNOUNCED = DeliveredText("mail", "bcc", (ADDRESS,), frozenset(), frozenset({OFFICE}), "の入口を北口に", OFFICE)

TWICE = "同じ方から二つ以上の申込みがありましたので"


def right() -> Facts:
    """Return the facts of a flawless run in which no application won."""
    status = {each.application_id: _status(each) for each in PEOPLE}
    accepted = [each for each in PEOPLE if each.expected.status == "accepted"]
    told = [each for each in PEOPLE if _result_kind(each)]
    rejected = len(told) - len(accepted)
    return Facts(
        campaign=CAMPAIGN,
        sent=PEOPLE,
        statuses=status,
        desk={each.application_id: "reject" for each in PEOPLE if each.expected.status == "held"},
        outcomes={_receipt(each): _lost(each) for each in accepted},
        notices=[Notice(_receipt(each), str(_result_kind(each)), "sent") for each in told],
        transcript_checks=[("root", True)],
        texts=[
            *map(_text, told),
            *map(_acknowledgement, filter(_is_acknowledged, PEOPLE)),
            *(replace(_text(each), text=TWICE) for each in PEOPLE if _is_told_of_another(each)),
            CONFIRMATION,
            ANNOUNCED,
        ],
        played=Played((RECEIPT,), (), frozenset({RECEIPT})),
        vault_count=VaultCount(len(accepted), len(accepted), 0, rejected, rejected, ()),
    )


def _receipt(each: DemoApplication) -> Receipt:
    return next(candidates(RECEIPT_KEY, each.channel, each.application_id))


def _result_kind(each: DemoApplication) -> str | None:
    told = {"accepted": "result", "rejected": "rejected", "withdrawn": "rejected"}
    return told.get(each.expected.status) if each.expected.readable else None


def _is_acknowledged(each: DemoApplication) -> bool:
    return each.expected.own_status == "complete" and each.mailbox in {"takes", "defers"}


def _is_told_of_another(each: DemoApplication) -> bool:
    return each.expected.status == "superseded" and each.mailbox in {"takes", "defers"}


def _acknowledgement(each: DemoApplication) -> DeliveredText:
    return replace(_text(each), text="申込みを受け付けました")


def _status(each: DemoApplication) -> Status:
    own = each.expected.own_status
    return Status("drawn" if own == "complete" else own, each.expected.own_reasons, _receipt(each))


def _text(each: DemoApplication) -> DeliveredText:
    """Return the text of an application whose classes were all lost, as it arrived."""
    receipt, address = _receipt(each), mail_address(each)
    asked = [event_class for event_class in CAMPAIGN.classes if event_class.id in each.expected.asked]
    lines = [f"{one.title.ja}{'対象外' if one.id in each.expected.refused else '落選'}" for one in asked]
    text = receipt + "".join(lines).replace(" ", "") + _WORDS[_result_kind(each) or "result"]
    if address is None:
        return DeliveredText("post", "card", (), frozenset({receipt}), frozenset(), text)
    return DeliveredText("mail", "mail", (address,), frozenset({receipt}), frozenset({address}), text)


def _lost(each: DemoApplication) -> list[SlipOutcome]:
    return [
        SlipOutcome(class_id=ClassId(name), outcome="lost", seats=1, reason="drawn")
        for name in each.expected.asked
        if name not in each.expected.refused
    ] + [
        SlipOutcome(class_id=ClassId(name), outcome="refused", seats=1, reason="grade")
        for name in each.expected.refused
    ]


FACTS = right()
SOMEBODY = next(iter(FACTS.outcomes))
TEXTS = list(FACTS.texts or ())
RESULTS = [text for text in TEXTS if text.kind == "result"]
SECOND = next(text for text in TEXTS if text.kind == "same-person")
MAIL = next(text for text in RESULTS if text.channel == "mail")
ACKNOWLEDGEMENT = next(text for text in TEXTS if text.kind == "acknowledgement")
SIBLINGS = next(
    pair
    for pair in itertools.combinations([text for text in RESULTS if text.channel == "mail"], 2)
    if pair[0].recipients == pair[1].recipients
)
"""Texts to two children of one family, in one mailbox."""


def with_texts(old: DeliveredText, *new: DeliveredText) -> Facts:
    """Return the facts with one text replaced by others."""
    return replace(FACTS, texts=[*(text for text in TEXTS if text is not old), *new])


def one_mail_to_both() -> Facts:
    """Return the facts of a batch mail: the address stands twice in the envelope, and no receipt number in the text."""
    both = replace(MAIL, recipients=SIBLINGS[0].recipients * 2, receipts=frozenset(), text="抽選の結果、残念ながら")
    return replace(FACTS, texts=[*(text for text in TEXTS if text not in SIBLINGS), both])


def lost_by(reason: str) -> Facts:
    """Return the facts in which one application lost its classes for this reason, and its text says `not drawn`."""
    changed = [outcome.model_copy(update={"reason": reason}) for outcome in FACTS.outcomes[SOMEBODY]]
    return replace(FACTS, outcomes={**FACTS.outcomes, SOMEBODY: changed})


def won(count: int) -> dict[Receipt, list[SlipOutcome]]:
    """More winners than the ten places of the escort kids."""
    prize = SlipOutcome(class_id=ClassId("escort-kids"), outcome="won", seats=1)
    return {
        name: [prize] if number < count else list(given) for number, (name, given) in enumerate(FACTS.outcomes.items())
    }


def broken(facts: Facts) -> set[str]:
    return {each.name for each in check(facts) if not each.holds}


def test_a_flawless_run_breaks_nothing():
    assert broken(FACTS) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda f: replace(f, statuses={**f.statuses, HOLDER.application_id: Status("complete")}), "status"),
        (lambda f: replace(f, statuses={}), "every status"),
        (lambda f: replace(f, outcomes={k: v for k, v in f.outcomes.items() if k != SOMEBODY}), "exactly one outcome"),
        (lambda f: replace(f, outcomes={**f.outcomes, SOMEBODY: [*f.outcomes[SOMEBODY]] * 2}), "exactly one outcome"),
        (lambda f: replace(f, outcomes={**f.outcomes, Receipt("x"): []}), "exactly one outcome"),
        (lambda f: replace(f, outcomes={k: v[::-1] for k, v in f.outcomes.items()}), "exactly one outcome"),
        (lambda f: replace(f, outcomes=won(11)), "over capacity"),
        (lambda f: replace(f, notices=f.notices[1:]), "exactly one notice"),
        (lambda f: replace(f, notices=[*f.notices, f.notices[0]]), "exactly one notice"),
        (lambda f: replace(f, notices=[*f.notices[1:], replace(f.notices[0], state="unknown")]), "was told"),
        (lambda _: with_texts(MAIL), "one text of its own"),
        (lambda _: with_texts(MAIL, MAIL, MAIL), "one text of its own"),
        (lambda _: with_texts(MAIL, replace(MAIL, recipients=("other@m.example",))), "one text of its own"),
        (lambda _: with_texts(MAIL, replace(MAIL, receipts=frozenset())), "one text of its own"),
        (lambda _: one_mail_to_both(), "one text of its own"),
        (lambda _: one_mail_to_both(), "one recipient"),
        (lambda _: with_texts(MAIL, replace(MAIL, recipients=(*MAIL.recipients, "b@m.example"))), "one recipient"),
        (lambda _: with_texts(MAIL, replace(MAIL, addresses=MAIL.addresses | {"b@m.example"})), "one recipient"),
        (lambda _: lost_by("clash"), "what happened and why"),
        (lambda _: lost_by("limit"), "what happened and why"),
        (
            lambda _: replace(FACTS, texts=[replace(text, text="抽選の結果") for text in RESULTS]),
            "what happened and why",
        ),
        (lambda _: with_texts(ACKNOWLEDGEMENT), "one acknowledgement"),
        (lambda _: with_texts(ACKNOWLEDGEMENT, ACKNOWLEDGEMENT, ACKNOWLEDGEMENT), "one acknowledgement"),
        (lambda _: with_texts(ACKNOWLEDGEMENT, replace(ACKNOWLEDGEMENT, recipients=("b@m.example",))), "acknowledgem"),
        (lambda _: with_texts(SECOND), "each copy is told once"),
        (lambda _: with_texts(SECOND, SECOND, SECOND), "each copy is told once"),
        (lambda _: with_texts(MAIL, MAIL, replace(MAIL, text=TWICE)), "each copy is told once"),
        (lambda _: with_texts(CONFIRMATION), "given up or passed on"),
        (lambda f: replace(f, played=replace(f.played, withdrawn=())), "given up or passed on"),
        (lambda f: replace(f, played=replace(f.played, accepted=(RECEIPT,))), "given up or passed on"),
        (lambda _: with_texts(ANNOUNCED), "announcement"),
        (lambda _: with_texts(ANNOUNCED, ANNOUNCED, ANNOUNCED), "announcement"),
        (lambda _: with_texts(ANNOUNCED, replace(ANNOUNCED, to=ADDRESS)), "announcement"),
        (lambda _: with_texts(ANNOUNCED, replace(ANNOUNCED, addresses=frozenset({ADDRESS}))), "announcement"),
        (lambda f: replace(f, vault_count=replace(f.vault_count, issued=999)), "vault counts"),
        (lambda f: replace(f, vault_count=replace(f.vault_count, rejected_delivered=0)), "vault counts"),
        (lambda f: replace(f, vault_count=replace(f.vault_count, differences=(RECEIPT,))), "vault counts"),
        (lambda f: replace(f, transcript_checks=[("root", False)]), "transcript"),
        (lambda f: replace(f, transcript_checks=[]), "transcript"),
    ],
)
def test_a_broken_invariant_is_named(change: Callable[[Facts], Facts], name: str):
    assert any(name in each for each in broken(change(FACTS)))


def test_texts_are_not_judged_where_the_mailbox_cannot_be_read():
    assert broken(replace(FACTS, texts=None)) == set()


def test_ten_winners_of_ten_places_are_fine():
    assert not any("capacity" in name for name in broken(replace(FACTS, outcomes=won(10))))
