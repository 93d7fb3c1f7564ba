"""One valid, fully filled message of every kind."""

from datetime import UTC, datetime

from shared.contracts import (
    AcceptedApplication,
    ApplicationReceived,
    ApplicationsAccepted,
    ApplicationsDecided,
    ApplicationsHeld,
    ApplicationsRejected,
    CardFailure,
    CardOrder,
    Choice,
    ClassPass,
    Contact,
    ContactsRegistered,
    Decision,
    ErasureCompleted,
    ErasureRequested,
    Event,
    HeldApplication,
    MailBounced,
    Outcome,
    PaperReceived,
    PaperSettled,
    PlaceOffer,
    PlacesOffered,
    PrintCompleted,
    PrintRequested,
    ReceiptsClosed,
    Refusal,
    RejectedApplication,
    Result,
    ResultsPublished,
    SealingKeyPublished,
    StaffChanged,
    StoreErasure,
)
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
from shared.staff_roles import Role

CAMPAIGN = CampaignId("777-days")
APPLICATION = ApplicationId("0b6f2a52-5d0b-4b6c-9d3a-3f1f6f0f2c11")
TOKEN = Token("tok_rzkv5wygz9eqt0qce2yh1d9wbg")
RECEIPT = Receipt("W-7K3M-9Q2P-6")
CLASS = ClassId("junior-football")
NOTICE = NoticeId("n-1")
PAPER = PaperId("5d0b3f1f-2a52-4c6c-9d3a-0b6f6f0f2c22")
REFUSED = (Refusal(class_id=ClassId("press-kids"), reason="grade"),)

SAMPLES: tuple[Event, ...] = (
    SealingKeyPublished(campaign=CAMPAIGN, key_id=KeyId("k1"), document={"v": 1, "key_id": "k1"}),
    ApplicationReceived(
        campaign=CAMPAIGN,
        application_id=APPLICATION,
        receipt=RECEIPT,
        channel="web",
        key_id=KeyId("k1"),
        sealed="c2VhbGVk",
        received_at=datetime(2018, 5, 15, 9, tzinfo=UTC),
    ),
    ApplicationsDecided(
        campaign=CAMPAIGN,
        items=(Decision(application_id=APPLICATION, status="rejected", reasons=("not-resident",), revision=1),),
    ),
    ApplicationsAccepted(
        campaign=CAMPAIGN,
        items=(
            AcceptedApplication(
                receipt=RECEIPT,
                application_id=APPLICATION,
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
        items=(RejectedApplication(application_id=APPLICATION, channel="fax", reasons=("grade",), revision=1),),
    ),
    ApplicationsHeld(
        campaign=CAMPAIGN, items=(HeldApplication(application_id=APPLICATION, channel="post", revision=1),)
    ),
    ContactsRegistered(
        campaign=CAMPAIGN,
        items=(
            Contact(
                application_id=APPLICATION,
                receipt=RECEIPT,
                token=TOKEN,
                contact="mail",
                mail_domain_class="docomo",
                status="accepted",
                refused=REFUSED,
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
    PaperSettled(campaign=CAMPAIGN, paper_id=PAPER, state="keyed"),
    ReceiptsClosed(campaign=CAMPAIGN, part=1, parts=1, total=1, application_ids=(APPLICATION,)),
    ResultsPublished(
        campaign=CAMPAIGN,
        draw=DrawId("777-days-1"),
        part=1,
        parts=1,
        items=(
            Result(
                application_id=APPLICATION,
                receipt=RECEIPT,
                token=TOKEN,
                pass_code="7K3M-9Q2P-60AB-CDEF",
                passes=(ClassPass(class_id=CLASS, code=f"KP1:{'A' * 160}"),),
                outcomes=(
                    Outcome(class_id=CLASS, outcome="won", seats=1, position=3),
                    Outcome(class_id=ClassId("press-kids"), outcome="refused", seats=1, reason="grade"),
                ),
            ),
        ),
    ),
    PlacesOffered(
        campaign=CAMPAIGN,
        draw=DrawId("777-days-1"),
        items=(
            PlaceOffer(
                occasion="777-days-1-7",
                application_id=APPLICATION,
                class_id=CLASS,
                seats=1,
                state="offered",
                answer_by=datetime(2018, 6, 5, 9, tzinfo=UTC),
                pass_code="7K3M-9Q2P-60AB-CDEF",
                class_pass=f"KP1:{'A' * 160}",
            ),
        ),
    ),
    PrintRequested(
        campaign=CAMPAIGN,
        batch_id=BatchId("b-1"),
        items=(
            CardOrder(
                notice_id=NOTICE,
                token=TOKEN,
                body="{{kuji:name}} 様",
                pass_code="7K3M-9Q2P-60AB-CDEF",
                passes=(ClassPass(class_id=CLASS, code=f"KP1:{'A' * 160}"),),
            ),
        ),
    ),
    PrintCompleted(
        campaign=CAMPAIGN,
        batch_id=BatchId("b-1"),
        pages=2,
        printed=(NOTICE,),
        failed=(CardFailure(notice_id=NoticeId("n-2"), reason="unknown-token"),),
        sha256="0" * 64,
    ),
    MailBounced(campaign=CAMPAIGN, notice_id=NOTICE, token=TOKEN, status="5.1.1"),
    StaffChanged(sub="yamada-01", not_before=datetime(2018, 6, 1, tzinfo=UTC), roles=(Role.HANDLER, Role.RECEPTION)),
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
)
