"""Slips: the state of all classes of one application, signed, with passes only where they are needed."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.lottery.draw.rules.result import DrawnResult, Result
from services.lottery.keys import BulkSigner, LotteryKeys
from services.lottery.places.present_outcomes import present_outcomes
from services.lottery.places.stored_place import StoredPlace
from services.lottery.promotion.states import Move, PlaceState
from services.lottery.promotion.waiting_list import Place
from services.lottery.record.passes import read_pass
from services.lottery.results.publish import write_issued, write_results
from services.lottery.slips import SlipIssue, SlipSigner
from shared.canonical import canonical
from shared.codes import EntryId
from shared.contracts import SLIP_CONTEXT, ResultsPublished, SlipOutcome, SlipsIssued
from shared.ids import ClassId, DrawId, Receipt, Token
from shared.json_types import JsonObject
from shared.signing import SigningKey, verify_in_context
from shared.slips import SlipKeys
from tests.support.draw_builders import sample_campaign
from tests.support.service_keys import keys_dir

CAMPAIGN = sample_campaign()
DRAW = DrawId(f"{CAMPAIGN.id}-1")
ENTRY = EntryId("0b6f2a525d0b4b6c9d3a3f1f6f0f2c11")
RECEIPT = Receipt("W-7K3M-9Q2P-6")
ISSUE = SlipIssue(CAMPAIGN.id, DRAW, 1, 7, datetime(2018, 6, 8, 1, tzinfo=UTC))
FIRST, SECOND, THIRD = (ClassId(event_class.id) for event_class in CAMPAIGN.classes[:3])


def outcome(class_id: ClassId, word: str, **members: object) -> SlipOutcome:
    return SlipOutcome.model_validate({"class_id": class_id, "outcome": word, "seats": 1, **members})


@pytest.fixture
def signer() -> SlipSigner:
    return SlipSigner(LotteryKeys(keys_dir()), {CAMPAIGN.id: CAMPAIGN})


def sign(signer: SlipSigner, *outcomes: SlipOutcome) -> JsonObject:
    token = Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg")
    return signer.sign(ISSUE, Result(ENTRY, RECEIPT, token, outcomes)).to_document()


@pytest.mark.parametrize("words", [("won", "refused"), ("offered", "gone"), ("waiting", "lost")])
def test_a_slip_names_the_entry_and_never_a_code(signer: SlipSigner, words: tuple[str, str]) -> None:
    slip = sign(signer, outcome(FIRST, words[0]), outcome(SECOND, words[1]))
    assert SlipKeys(keys_dir()).verify(slip)
    assert (slip["entry"], "pass_code" in slip) == (ENTRY, False)


@pytest.mark.parametrize("words", [("lost", "refused"), ("gone", "lost")])
def test_a_slip_without_a_place_has_no_pass(signer: SlipSigner, words: tuple[str, str]) -> None:
    slip = sign(signer, outcome(FIRST, words[0]), outcome(SECOND, words[1]))
    assert SlipKeys(keys_dir()).verify(slip)
    assert slip["passes"] == []


def test_each_class_won_or_offered_has_a_pass_that_reception_accepts(signer: SlipSigner) -> None:
    slip = sign(signer, outcome(FIRST, "won"), outcome(SECOND, "waiting", position=3), outcome(THIRD, "offered"))

    assert [given["class_id"] for given in slip["passes"]] == [FIRST, THIRD]
    public = LotteryKeys(keys_dir()).signing.public
    shown = [read_pass([public], CAMPAIGN.id, given["code"]) for given in slip["passes"]]
    assert [read.number for read in shown] == [CAMPAIGN.classes[0].number, CAMPAIGN.classes[2].number]
    assert {read.entry for read in shown} == {bytes.fromhex(ENTRY)}


def test_the_number_rises_with_every_change_and_every_draw(signer: SlipSigner) -> None:
    result = SlipIssue(CAMPAIGN.id, DRAW, 1, 0, ISSUE.at)
    following = SlipIssue(CAMPAIGN.id, DrawId(f"{CAMPAIGN.id}-2"), 2, 0, ISSUE.at)
    assert (result.n, ISSUE.n, following.n) == (1_000_000, 1_000_007, 2_000_000)
    assert sign(signer, outcome(FIRST, "lost"))["n"] == 1_000_007


def test_the_same_content_gives_the_same_slip(signer: SlipSigner) -> None:
    assert sign(signer, outcome(FIRST, "won")) == sign(signer, outcome(FIRST, "won"))


def place(
    state: PlaceState,
    why: Move | None = None,
    reason: str | None = None,
    position: int | None = None,
    answer_by: datetime | None = None,
) -> StoredPlace:
    seat = Place(1, state, position, answer_by)
    return StoredPlace(CAMPAIGN.id, DRAW, ENTRY, FIRST, RECEIPT, seat, why, None, reason)


@pytest.mark.parametrize(
    ("stored", "members"),
    [
        (place(PlaceState.HELD), {"outcome": "won"}),
        (place(PlaceState.WAITING, position=4), {"outcome": "waiting", "position": 4}),
        (
            place(PlaceState.OFFERED, position=4, answer_by=datetime(2018, 6, 9, tzinfo=UTC)),
            {"outcome": "offered", "answer_by": "2018-06-09T00:00:00+00:00"},
        ),
        (place(PlaceState.GONE, Move.WITHDRAWN), {"outcome": "gone", "reason": "withdrawn"}),
        (place(PlaceState.GONE, Move.EXPIRED, position=4), {"outcome": "gone", "reason": "expired"}),
        (place(PlaceState.GONE, Move.PASSED_OVER, "clash", position=4), {"outcome": "lost", "reason": "clash"}),
    ],
)
def test_the_state_of_a_place_replaces_the_outcome_of_the_draw(stored: StoredPlace, members: JsonObject) -> None:
    drawn = (outcome(FIRST, "waiting", position=4, rank=9, of=20), outcome(SECOND, "refused", reason="grade"))
    first, second = present_outcomes(drawn, {FIRST: stored})

    assert first.model_dump() == {"class_id": FIRST, "seats": 1, "rank": 9, "of": 20, **members}
    assert second == drawn[1]


def test_written_results_are_read_as_the_event_with_slips_that_the_vault_accepts(signer: SlipSigner) -> None:
    outcomes: list[JsonObject] = [
        {"class_id": FIRST, "outcome": "won", "seats": 2, "rank": 3, "of": 9},
        {"class_id": SECOND, "outcome": "lost", "seats": 1, "rank": 3, "of": 9, "reason": "drawn"},
    ]
    drawn = DrawnResult(ENTRY, RECEIPT, Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg"), outcomes)
    body = write_results(CAMPAIGN.id, DRAW, 1, 1, [signer.writer(ISSUE).write(*drawn)])
    (slip,) = ResultsPublished.model_validate_json(body, strict=True).items
    assert slip == signer.sign(ISSUE, drawn.to_result())
    assert SlipKeys(keys_dir()).verify(slip.to_document())


def members_of_outcome() -> st.SearchStrategy[JsonObject]:
    """Return outcomes with any of the members that may be absent, and with texts that JSON must escape."""
    counts, texts = st.integers(1, 10**6), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    required = {"class_id": texts, "outcome": st.sampled_from(["won", "waiting", "lost"]), "seats": st.integers(1, 20)}
    optional = {"position": counts, "rank": counts, "of": counts, "reason": texts, "answer_by": texts}
    return st.fixed_dictionaries(required, optional=optional)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(outcomes=st.lists(members_of_outcome(), min_size=1, max_size=4), receipt=st.text('W-\u00e9"\\\n', max_size=9))
def test_a_slip_is_the_canonical_json_of_its_members(
    signer: SlipSigner, outcomes: list[JsonObject], receipt: str
) -> None:
    lost = [{**one, "outcome": "lost" if one["outcome"] == "won" else one["outcome"]} for one in outcomes]
    token = Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg")
    written = signer.writer(ISSUE).write(ENTRY, Receipt(receipt), token, lost)
    members = json.loads(written)
    signature = members.pop("signature")
    assert members["outcomes"] == lost
    assert written == canonical(members)[:-1] + b',"signature":"%s"}' % signature.encode()
    assert verify_in_context(LotteryKeys(keys_dir()).signing.public, SLIP_CONTEXT, {**members, "signature": signature})


def test_issued_slips_are_written_as_the_event_that_the_vault_reads() -> None:
    tokens = [Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg"), Token("tok_k9drw8yzm76wk5dvx38tg8qe3m")]
    results = [DrawnResult(ENTRY, RECEIPT, token, []) for token in tokens]
    body = write_issued(CAMPAIGN.id, 1_000_000, results)
    event = SlipsIssued.model_validate_json(body, strict=True)
    assert [(item.token, item.n) for item in event.items] == [(token, 1_000_000) for token in tokens]
    assert body == canonical(json.loads(body))


@given(st.binary(max_size=300))
def test_signatures_in_bulk_are_those_of_the_signing_key(message: bytes) -> None:
    signing = SigningKey.from_bytes(bytes(range(32)))
    assert BulkSigner(signing).sign(message) == signing.sign(message)
