"""One valid, fully filled message of every kind."""

from datetime import UTC, datetime

from shared.codes import EntryId, ProofDigest
from shared.contracts import (
    AcceptedApplication,
    ActOfStaff,
    ApplicationReceived,
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsHeld,
    ApplicationsRejected,
    AskedNotice,
    AssignedReceipt,
    CardFailure,
    Choice,
    ClassPass,
    ClosedReceipt,
    Contact,
    ContactsRegistered,
    Decision,
    DiceEntered,
    DiceRequested,
    DrawPublished,
    DuplicatesSearched,
    ErasureCompleted,
    ErasureRequested,
    Event,
    HeldApplication,
    IssuedSlip,
    KeyedApplication,
    MailAnswer,
    MailBounced,
    MailCompleted,
    MailRequested,
    NoticeCount,
    NoticeDocument,
    NoticesAsked,
    NoticesCounted,
    OutcomeSlip,
    PaperReceived,
    PaperSettled,
    PersonErased,
    PersonErasureRequested,
    PlaceNotice,
    PlacesOffered,
    PrintCompleted,
    PrintRequested,
    ReceiptsAssigned,
    ReceiptsClosed,
    RecipientRefusal,
    Refusal,
    RejectedApplication,
    ResultsPublished,
    SealingKeyPublished,
    SlipOutcome,
    SlipsIssued,
    StaffAct,
    StaffActed,
    StaffChanged,
    StoreErasure,
)
from shared.dice_acts import DiceRule, write_dice_act
from shared.ids import (
    ApplicationId,
    BatchId,
    CampaignId,
    ClassId,
    DrawId,
    KeyId,
    NoticeId,
    PaperId,
    Receipt,
    Serial,
    Token,
)
from shared.signing import SigningKey
from shared.staff_roles import Role

CAMPAIGN = CampaignId("777-days")
APPLICATION = ApplicationId("0b6f2a52-5d0b-4b6c-9d3a-3f1f6f0f2c11")
TOKEN = Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg")
RECEIPT = Receipt("W-7K3M-9Q2P-6")
CLASS = ClassId("junior-football")
DICE_RULE = DiceRule(CAMPAIGN, DrawId("777-days-1"), "ab" * 32, 2, datetime(2018, 5, 31, 2, tzinfo=UTC))
NOTICE = NoticeId(f"n-{1:020x}")
PAPER = PaperId("5d0b3f1f-2a52-4c6c-9d3a-0b6f6f0f2c22")
ENTRY = EntryId("0b6f2a525d0b4b6c9d3a3f1f6f0f2c11")
DIGEST = ProofDigest("5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
REFUSED = (Refusal(class_id=ClassId("press-kids"), reason="grade"),)

SLIP = OutcomeSlip(
    campaign=CAMPAIGN,
    draw=DrawId("777-days-1"),
    n=1_000_000,
    token=TOKEN,
    receipt=RECEIPT,
    entry=ENTRY,
    issued_at="2018-06-08T10:00:00+09:00",
    outcomes=(
        SlipOutcome(
            class_id=CLASS, outcome="offered", seats=1, position=3, answer_by="2018-06-10T10:00:00+09:00", rank=3, of=9
        ),
        SlipOutcome(class_id=ClassId("press-kids"), outcome="refused", seats=1, reason="grade"),
    ),
    passes=(ClassPass(class_id=CLASS, code=f"KP1:{'A' * 160}"),),
    key="0123456789abcdef",
    signature="A" * 86,
)
"""Filled slip; its signature is not valid. `tests/support/slips.py` signs slips."""

ORDER = NoticeDocument(
    notice=NOTICE,
    campaign=CAMPAIGN,
    kind="offer",
    channel="mail",
    attempt=1,
    n=SLIP.n,
    token=TOKEN,
    slip=SLIP.to_document(),
    params={"answer_by": "2018-06-10T10:00:00+09:00"},
)

SAMPLES: tuple[Event, ...] = (
    SealingKeyPublished(campaign=CAMPAIGN, key_id=KeyId("k1"), document={"v": 1, "key_id": "k1"}),
    ApplicationReceived(
        campaign=CAMPAIGN,
        application_id=APPLICATION,
        receipt=RECEIPT,
        version=1,
        channel="web",
        key_id=KeyId("k1"),
        sealed="c2VhbGVk",
        received_at=datetime(2018, 5, 15, 9, tzinfo=UTC),
    ),
    ApplicationsDecided(
        campaign=CAMPAIGN,
        items=(
            Decision(
                application_id=APPLICATION,
                receipt=RECEIPT,
                version=1,
                status="rejected",
                reasons=("not-resident",),
                revision=1,
            ),
        ),
    ),
    ApplicationsAccepted(
        campaign=CAMPAIGN,
        items=(
            AcceptedApplication(
                receipt=RECEIPT,
                version=2,
                entry=ENTRY,
                proof_sha256=DIGEST,
                token=TOKEN,
                channel="web",
                choices=(Choice(class_id=CLASS, seats=1),),
                refused=REFUSED,
                revision=1,
            ),
        ),
    ),
    ApplicationsRejected(
        campaign=CAMPAIGN,
        items=(
            RejectedApplication(
                receipt=RECEIPT,
                version=1,
                verdict="rejected",
                entry=ENTRY,
                proof_sha256=DIGEST,
                token=TOKEN,
                channel="fax",
                reasons=("grade",),
                revision=1,
            ),
        ),
    ),
    ApplicationsHeld(
        campaign=CAMPAIGN,
        items=(
            HeldApplication(
                receipt=RECEIPT, version=1, entry=ENTRY, proof_sha256=DIGEST, token=TOKEN, channel="post", revision=1
            ),
        ),
    ),
    ContactsRegistered(
        campaign=CAMPAIGN,
        items=(
            Contact(
                receipt=RECEIPT,
                token=TOKEN,
                contact="mail",
                mail_domain_class="docomo",
                status="complete",
                version=1,
                revision=1,
            ),
        ),
    ),
    PaperReceived(
        campaign=CAMPAIGN,
        paper_id=PAPER,
        receipt=Receipt("F-7K3M-9Q2P-6"),
        channel="fax",
        serial=Serial("F-0001"),
        key_id=KeyId("k1"),
        sealed="c2VhbGVk",
        received_at=datetime(2018, 5, 16, 9, tzinfo=UTC),
    ),
    PaperSettled(
        campaign=CAMPAIGN,
        paper_id=PAPER,
        state="keyed",
        applications=(KeyedApplication(application_id=APPLICATION, proof_sha256=DIGEST),),
    ),
    ReceiptsAssigned(
        campaign=CAMPAIGN,
        paper_id=PAPER,
        items=(AssignedReceipt(application_id=APPLICATION, receipt=Receipt("F-7K3M-9Q2P-6")),),
    ),
    DuplicatesSearched(campaign=CAMPAIGN, list_sha256="0" * 64, applications=3),
    ReceiptsClosed(
        campaign=CAMPAIGN,
        part=1,
        parts=1,
        total=1,
        items=(ClosedReceipt(receipt=RECEIPT, version=2, line="0" * 64),),
    ),
    DrawPublished(campaign=CAMPAIGN, draw=DrawId("777-days-1"), entries=1994),
    DiceRequested(
        campaign=CAMPAIGN,
        draw=DICE_RULE.draw,
        number=1,
        manifest_sha256=DICE_RULE.manifest_sha256,
        opens=datetime(2018, 5, 31, 1, tzinfo=UTC),
        round_at=DICE_RULE.round_at,
        witnesses=2,
    ),
    DiceEntered(
        campaign=CAMPAIGN,
        draw=DICE_RULE.draw,
        act=write_dice_act(
            SigningKey.from_bytes(b"v" * 32),
            "00000000-0000-4000-8000-000000000001",
            DICE_RULE,
            "1" * 20,
            "ward",
            datetime(2018, 5, 31, 1, 30, tzinfo=UTC),
        ),
    ),
    ResultsPublished(campaign=CAMPAIGN, draw=DrawId("777-days-1"), part=1, parts=1, items=(SLIP,)),
    PlacesOffered(
        campaign=CAMPAIGN,
        draw=DrawId("777-days-1"),
        items=(PlaceNotice(kind="offer", class_id=CLASS, slip=SLIP),),
    ),
    SlipsIssued(campaign=CAMPAIGN, items=(IssuedSlip(token=TOKEN, n=SLIP.n),)),
    MailRequested(campaign=CAMPAIGN, items=(ORDER,)),
    MailCompleted(
        campaign=CAMPAIGN,
        items=(
            MailAnswer(
                notice=NOTICE,
                attempt=1,
                answer="refused",
                code=550,
                refused=(RecipientRefusal(token=TOKEN, code=550),),
            ),
        ),
    ),
    MailBounced(campaign=CAMPAIGN, notice_id=NOTICE, token=TOKEN, status="5.1.1"),
    PrintRequested(campaign=CAMPAIGN, batch_id=BatchId("b-1"), items=(ORDER.model_copy(update={"channel": "card"}),)),
    PrintCompleted(
        campaign=CAMPAIGN,
        batch_id=BatchId("b-1"),
        pages=2,
        printed=(NOTICE,),
        failed=(CardFailure(notice_id=NoticeId(f"n-{2:020x}"), reason="not-printable"),),
    ),
    NoticesAsked(
        campaign=CAMPAIGN, items=(AskedNotice(token=TOKEN, kind="result", n=1_000_000, way="card", sub="yamada-01"),)
    ),
    NoticesCounted(
        campaign=CAMPAIGN,
        counted_at=datetime(2018, 6, 8, 12, tzinfo=UTC),
        told=3,
        to_tell=2,
        to_telephone=1,
        counts=(NoticeCount(kind="result", channel="mail", state="sent", count=3),),
    ),
    StaffChanged(
        sub="yamada-01",
        not_before=datetime(2018, 6, 1, tzinfo=UTC),
        roles=(Role.HANDLER, Role.RECEPTION),
        ended=("A" * 22,),
    ),
    StaffActed(
        service="lottery",
        campaign=CAMPAIGN,
        items=(
            ActOfStaff(sub="yamada-01", act=StaffAct.ENTER_BEACON, case="d-1", at=datetime(2018, 6, 1, tzinfo=UTC)),
        ),
    ),
    ErasureRequested(campaign=CAMPAIGN, erasure_id="e-1"),
    ErasureCompleted(
        campaign=CAMPAIGN,
        erasure_id="e-1",
        service="intake",
        phase="measured",
        tombstone=datetime(2018, 6, 18, 9, tzinfo=UTC),
        dropped=1,
        key="0123456789abcdef",
        signature="A" * 86,
        stores=(StoreErasure(store="mongodb", before=3, after=0, residue=0, result="PASS"),),
    ),
    PersonErasureRequested(campaign=CAMPAIGN, erasure_id="person-1", receipt=RECEIPT, version=2, channel="web"),
    PersonErased(
        campaign=CAMPAIGN,
        erasure_id="person-1",
        service="lottery",
        tombstone=datetime(2018, 6, 18, 9, tzinfo=UTC),
        key="0123456789abcdef",
        signature="A" * 86,
        stores=(StoreErasure(store="entries", before=1, after=0, residue=0, result="PASS"),),
    ),
)
