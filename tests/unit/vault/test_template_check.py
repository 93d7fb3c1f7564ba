"""Templates are checked before they are released: unknown names, addresses, missing receipt numbers, other language."""

from pathlib import Path

import pytest

from services.vault.notices.rules.kinds import KINDS
from services.vault.notices.rules.template_check import find_mistakes
from services.vault.notices.sources import TemplateFiles, template_sha256
from shared.campaign import load_campaign
from shared.contracts import NoticeChannel
from shared.ids import CampaignId

CAMPAIGN = load_campaign(Path("deploy/campaigns/777-days.yaml"))
CARD = "{{ name }} {{ receipt }} {{ pages.status }} {{ pages.verify }}\n"


@pytest.mark.parametrize(
    ("kind", "channel"), [(kind, channel) for kind, known in KINDS.items() for channel in known.channels]
)
def test_the_default_templates_have_no_mistakes(kind: str, channel: NoticeChannel) -> None:
    source = TemplateFiles(Path("absent")).read(CAMPAIGN.id, kind, channel)
    assert source is not None
    assert list(find_mistakes(source.text, kind, channel, CAMPAIGN)) == []


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("{{ phone }}", "`phone` is not known"),
        ("{% if false_branch %}{{ name }}{% endif %}", "`false_branch` is not known"),
        ("{% if won %}{{ campaign.secret }}{% endif %}", "`campaign.secret` is not known"),
        ("{% for line in lines %}{{ line.person }}{% endfor %}", "`line.person` is not known"),
        ("{{ code }}", "`code` is not known"),
        ("{{ lines }}", "has members and is no text"),
        ("{{ name.__class__ }}", "`name.__class__` is not known"),
        ("{{ 'text' }}", "only values can be put in"),
        ("{{ name|upper }}", "only values can be put in"),
        ("{{ name() }}", "only values can be put in"),
        ("{% set other = name %}", "not Assign"),
        ("{% include 'other.txt' %}", "not Include"),
        ("{% for number in range(9) %}{% endfor %}", "goes through a list"),
        ("{% if won %}", "Unexpected end of template"),
        ("https://kuji.example.com/", "holds an address"),
        ("ｈｔｔｐｓ：／／kuji.example.com", "holds an address"),
        ("ht{% if won %}tps://evil.exa{% endif %}mple.com", "holds an address"),
        ("evil.example.com/pay", "holds an address"),
        ("office@example.com", "holds an address"),
        ("{{ line.answer_by }}", "cannot be rendered"),
    ],
)
def test_a_template_with_a_mistake_is_refused(added: str, expected: str) -> None:
    mistakes = list(find_mistakes(CARD + added, "result", "card", CAMPAIGN))
    assert expected in "; ".join(mistakes)


@pytest.mark.parametrize("missing", ["{{ receipt }}", "{{ pages.status }}", "{{ pages.verify }}"])
def test_a_template_without_receipt_number_or_pages_is_refused(missing: str) -> None:
    assert list(find_mistakes(CARD, "result", "card", CAMPAIGN)) == []
    mistakes = list(find_mistakes(CARD.replace(missing, ""), "result", "card", CAMPAIGN))
    assert "does not name" in mistakes[0]


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("", "must begin with 'Subject: '"),
        ("Subject: result\n", "receipt number in the subject"),
        ("Subject: {{ receipt }} {{ name }}\n", "`name` is not known"),
        ("Subject: {{ receipt }} {{ code }}\n", "`code` is not known"),
    ],
)
def test_the_subject_of_a_mail_names_the_receipt_number_but_no_person(subject: str, expected: str) -> None:
    assert expected in "; ".join(find_mistakes(subject + CARD, "result", "mail", CAMPAIGN))


def test_a_template_of_the_campaign_goes_before_the_default_and_may_use_shared_parts(tmp_path: Path) -> None:
    folder = tmp_path / CAMPAIGN.id / "notices" / "result"
    folder.mkdir(parents=True)
    (folder / "card.txt").write_text('{{ name }} 様\n{% include "_receipt_card.txt" %}\n', "utf-8")
    files = TemplateFiles(tmp_path)

    own, other = files.read(CAMPAIGN.id, "result", "card"), files.read(CampaignId("other"), "result", "card")

    assert own is not None
    assert other is not None
    assert (own.is_own, other.is_own) == (True, False)
    assert own.text == "{{ name }} 様\n受付番号 {{ receipt }}\n"


def test_a_version_is_named_by_kind_channel_and_bytes() -> None:
    names = {
        template_sha256(kind, channel, text)
        for kind, channel, text in [
            ("offer", "mail", "a"), ("offer", "card", "a"), ("result", "mail", "a"), ("offer", "mail", "b"),
        ]
    }  # fmt: skip
    assert len(names) == 4
    assert all(len(name) == 64 for name in names)
