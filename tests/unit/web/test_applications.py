"""Form and vault accept the same applications, and the form shows the mistakes before sending."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.intake.campaigns.public import extract_public
from services.vault.applications.rules.content import Judged, Unreadable, judge
from shared.postal_codes import PostalCodes
from tests.support.identity_builders import campaign
from tests.support.node_programs import Ask

TABLE = json.loads((Path(__file__).resolve().parents[2] / "cases" / "applications.json").read_text("utf-8"))
CAMPAIGN = campaign()
CODES = PostalCodes().municipalities
STRICTER = {"town.required", "street.required"}
"""The form asks for both halves of the address; the vault sees one whole."""


def rules() -> dict[str, Any]:
    public = extract_public(CAMPAIGN)
    return {
        "campaign": CAMPAIGN.id,
        "purpose_version": CAMPAIGN.purpose.version,
        "residency": public["residency"],
        "preferences": True,
        "max_wins": CAMPAIGN.draw.max_wins,
        "classes": public["classes"],
    }


def asked(ask: Ask, drafts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the form's answer to each draft: `problems`, and the `plaintext` that it would seal."""
    cases = [{"draft": draft, "municipalities": sorted(CODES(digits(draft["postal_code"])))} for draft in drafts]
    answer: list[dict[str, Any]] = ask("judge", {"rules": rules(), "cases": cases})
    return answer


def digits(text: str) -> str:
    return "".join(each for each in text.translate({0xFF10 + n: str(n) for n in range(10)}) if each in "0123456789")


def verdict(plaintext: dict[str, Any]) -> Judged | Unreadable:
    return judge(json.dumps(plaintext, ensure_ascii=False).encode("utf-8", "surrogatepass"), "web", CAMPAIGN, CODES)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["why"])
def test_form_and_vault_say_what_the_table_says(ask: Ask, case: dict[str, Any]):
    [answer] = asked(ask, [TABLE["right"] | case["changes"]])
    assert answer["problems"] == case["form"]
    assert list(verdict(answer["plaintext"]).reasons) == case["vault"]


TYPED = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
DRAFTS = st.fixed_dictionaries(
    {
        "name": st.one_of(st.sampled_from(["髙﨑 花子", "", "ﾊﾅｺ\u200b", "あ" * 81]), TYPED),
        "postal_code": st.one_of(st.sampled_from(["1600021", "160-0021", "1640003", "0000000", ""]), TYPED),
        "town": st.one_of(
            st.sampled_from(["東京都新宿区歌舞伎町", "新宿区西新宿", "歌舞伎町", "東京都中野区中野"]), TYPED
        ),
        "street": st.one_of(st.sampled_from(["1-4-1", "１丁目４番１号", "あ" * 200]), TYPED),
        "phone": st.one_of(st.sampled_from(["03-0000-0001", "+81 90 0000 0001", "119"]), TYPED),
        "email": st.one_of(st.sampled_from(["", "a@example.jp", "a@b", "ａ＠ｅｘａｍｐｌｅ．ｊｐ"]), TYPED),
        "age_or_grade": st.sampled_from(["", "age", "p1", "p2", "p4", "p5", "p6", "j1", "j3"]),
        "age": st.one_of(st.sampled_from(["34", "20", "19", "15", "7", "120", "121", ""]), TYPED),
        "guardian": st.one_of(st.sampled_from(["髙﨑 太郎", ""]), TYPED),
        "choices": st.lists(
            st.fixed_dictionaries(
                {
                    "class": st.sampled_from([each.id for each in CAMPAIGN.classes]),
                    "seats": st.sampled_from([1, 2, 3]),
                }
            ),
            max_size=3,
            unique_by=lambda choice: choice["class"],
        ),
    }
)
LIKELY = st.tuples(DRAFTS, st.sets(st.sampled_from(sorted(TABLE["right"])), max_size=2)).map(
    lambda drawn: TABLE["right"] | {name: drawn[0][name] for name in drawn[1]}
)
"""Right but for one or two members, so that many are taken."""


@given(st.lists(st.one_of(DRAFTS, LIKELY), min_size=40, max_size=120))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_form_lets_through_exactly_what_the_vault_takes(ask: Ask, drafts: list[dict[str, Any]]):
    for answer in asked(ask, drafts):
        found = verdict(answer["plaintext"])
        taken = isinstance(found, Judged) and not found.reasons and not found.refused
        if not answer["problems"]:
            assert taken
        elif taken:
            assert set(answer["problems"]) <= STRICTER
