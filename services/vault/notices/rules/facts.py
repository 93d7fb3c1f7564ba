"""Facts of the campaign file as texts name them, computed once for each campaign. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from services.vault.notices.rules.reasons import Bilingual
from shared.campaign import Campaign, EventClass
from shared.campaign.model import Text
from shared.dates import TOKYO, WEEKDAYS_JA

_CIRCLED_NUMBERS: Final = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"


@dataclass(frozen=True)
class OfficeText:
    """Office that sends the notices."""

    name: str
    department: str
    phone: str
    fax: str
    postal_code: str
    address: str


@dataclass(frozen=True)
class PagesText:
    """Addresses of the pages that notices name; empty where the campaign has no such page.

    `places`: page for giving up a place and for answering an offer.
    """

    status: str
    verify: str
    places: str


@dataclass(frozen=True)
class CampaignText:
    """Campaign in general. Times are those of the ward; `talks` need no application."""

    title: str
    title_en: str
    rehearsal: bool
    draw_at: str
    draw_at_en: str
    notify_by: str
    notify_by_en: str
    closes: str
    closes_en: str
    talks: tuple[Bilingual, ...]
    talk_titles: str


@dataclass(frozen=True)
class ClassFacts:
    """Class of the campaign: number, title, time, venue."""

    number: str
    title: Bilingual
    when: Bilingual
    venue: Bilingual
    starts: datetime
    ends: datetime

    @classmethod
    def of(cls, event_class: EventClass) -> Self:
        """Return the facts of a class."""
        starts, ends = event_class.starts, f"{event_class.ends.astimezone(TOKYO):%H:%M}"
        return cls(
            number=_format_number(event_class.number),
            title=_bilingual(event_class.title),
            when=Bilingual(
                f"{format_time(event_class.starts)}～{ends}", f"{format_time_en(event_class.starts)}-{ends}"
            ),
            venue=_bilingual(event_class.place),
            starts=starts,
            ends=event_class.ends,
        )

    def overlaps(self, other: "ClassFacts") -> bool:
        """Return True if no person can take both classes."""
        return self.starts < other.ends and other.starts < self.ends


@dataclass(frozen=True)
class CampaignFacts:
    """Facts of one campaign. `max_wins`: classes that one person can win."""

    campaign: CampaignText
    office: OfficeText
    pages: PagesText
    classes: Mapping[str, ClassFacts]
    max_wins: int
    closes_at: datetime

    @classmethod
    def of(cls, campaign: Campaign) -> Self:
        """Return the facts of a campaign."""
        return cls(
            campaign=_campaign_text(campaign),
            office=_office_text(campaign),
            pages=PagesText(
                status=campaign.pages.status or "",
                verify=campaign.pages.verify or "",
                places=campaign.offers.page or "",
            ),
            classes={event_class.id: ClassFacts.of(event_class) for event_class in campaign.classes},
            max_wins=campaign.draw.max_wins,
            closes_at=campaign.window.closes,
        )


def _campaign_text(campaign: Campaign) -> CampaignText:
    return CampaignText(
        title=campaign.title.ja,
        title_en=campaign.title.en,
        rehearsal=campaign.rehearsal,
        draw_at=format_time(campaign.draw.at),
        draw_at_en=format_time_en(campaign.draw.at),
        notify_by=format_day(campaign.notify_by),
        notify_by_en=format_day_en(campaign.notify_by),
        closes=format_time(campaign.window.closes),
        closes_en=format_time_en(campaign.window.closes),
        talks=tuple(_bilingual(talk.title) for talk in campaign.talks),
        talk_titles="、".join(talk.title.ja for talk in campaign.talks),
    )


def _office_text(campaign: Campaign) -> OfficeText:
    office = campaign.office
    return OfficeText(
        name=office.name,
        department=office.department,
        phone=office.phone,
        fax=office.fax,
        postal_code=f"{office.postal_code[:3]}-{office.postal_code[3:]}",
        address=office.address,
    )


def _bilingual(text: Text) -> Bilingual:
    return Bilingual(text.ja, text.en)


def _format_number(number: int) -> str:
    return _CIRCLED_NUMBERS[number - 1] if number <= len(_CIRCLED_NUMBERS) else f"{number}."


def format_day(at: datetime) -> str:
    """Return date with weekday, in Tokyo."""
    local = at.astimezone(TOKYO)
    return f"{local.year}年{local.month}月{local.day}日（{WEEKDAYS_JA[local.weekday()]}）"


def format_day_en(at: datetime) -> str:
    """Return date with weekday, in Tokyo, in English."""
    return f"{at.astimezone(TOKYO):%a %d %b %Y}"


def format_time(at: datetime) -> str:
    """Return date with weekday and time, in Tokyo."""
    return f"{format_day(at)}{at.astimezone(TOKYO):%H:%M}"


def format_time_en(at: datetime) -> str:
    """Return date with weekday and time, in Tokyo, in English."""
    return f"{format_day_en(at)}, {at.astimezone(TOKYO):%H:%M}"
