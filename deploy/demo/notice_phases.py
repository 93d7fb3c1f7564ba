"""Phases of notices: texts released, people acknowledged and told, cards posted, places passed on, an announcement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pypdfium2

from deploy.demo.facts import Played
from deploy.demo.phases import TIMEOUT_S, EventRun, TakenApplications
from deploy.demo.progress import PhaseBar
from deploy.demo.published import own_entry
from deploy.demo.rehearsal import until
from deploy.people.invented import HANDLER, RESPONSIBLE, SECOND
from shared.approvals.params import announcement_params
from shared.codes import lottery_proof
from shared.json_types import JsonObject

OPEN: Final = frozenset(
    {"pending", "mailing", "deferred", "unreleased", "bounced", "to_print", "requested", "fetched", "counted"}
)
"""States of a notice that change by themselves or by the phase that runs; cards that are made wait for the office."""

RESULTS: Final = ("result", "rejected")
_UNREADABLE: Final = frozenset({"malformed", "purpose-version"})
_NOTICE_S: Final = 0.25
"""Longest time for one notice of many, on a machine that is busy with other work."""

_GIVEN_UP: Final = 3
"""Places given up in each class that has a waiting list."""

_MOST_CLASSES: Final = 3


async def release_templates(play: EventRun) -> int:
    """Release the version of each template that the vault shows; return the number of templates."""
    staff = play.staff
    templates = (await staff.get("vault", "notice-templates"))["templates"]
    approval = await staff.approval("release-templates", "first-release", RESPONSIBLE)
    named = [{"kind": template["kind"], "channel": template["channel"]} for template in templates]
    await staff.post("vault", "notice-templates/releases", {"approval": approval, "templates": named})
    return len(templates)


async def await_acknowledgements(play: EventRun, expected: int, bar: PhaseBar) -> None:
    """Wait until every complete application with a mail address is acknowledged, or its mailbox refused."""
    await _await_kinds(play, ("acknowledgement",), expected, bar)


async def readable(play: EventRun) -> int:
    """Count the applicants who are told a result or a rejection.

    Without a notice: those whose application could not be read, copies, and second applications of the same person.
    """
    summary = await play.staff.get("vault", "summary")
    without = sum(int(summary["reasons"].get(reason, 0)) for reason in (*_UNREADABLE, "duplicate"))
    copies = int(summary["applications"].get("superseded", 0))
    return sum(map(int, summary["applications"].values())) - without - copies


async def await_results(play: EventRun, expected: int, bar: PhaseBar) -> None:
    """Wait until every mail is sent and every card made, then fetch, count and post the cards.

    Copies are told after the draw that another application stands; they gave the same addresses.
    """
    await _await_kinds(play, RESULTS, expected, bar)
    summary = await play.staff.get("vault", "summary")
    await _await_kinds(play, ("same-person",), int(summary["applications"].get("superseded", 0)), bar)
    await post_cards(play)


async def _await_kinds(play: EventRun, kinds: tuple[str, ...], expected: int, bar: PhaseBar) -> None:
    bar.to(0, expected)

    async def ask() -> JsonObject:
        summary: JsonObject = await play.staff.get("notifier", "summary")
        created = sum(int(summary["kinds"].get(kind, 0)) for kind in kinds)
        bar.to(max(0, min(created, expected) - _open(summary)))
        return summary

    def done(summary: JsonObject) -> bool:
        return sum(int(summary["kinds"].get(kind, 0)) for kind in kinds) >= expected and _open(summary) == 0

    within_s = max(TIMEOUT_S, _NOTICE_S * expected)
    await until(ask, done, within_s=within_s, what=f"notices ({', '.join(kinds)})")


def _open(summary: JsonObject) -> int:
    return sum(int(count) for state, count in summary["notices"].items() if state in OPEN)


async def post_cards(play: EventRun) -> None:
    """Act as the office does: one person fetches a batch, two people count its cards, one posts them."""
    staff = play.staff
    for batch in await staff.get_all("notifier", "print-batches", "batches"):
        if batch["state"] != "made":
            continue
        path = f"print-batches/{batch['id']}"
        await staff.post("notifier", f"{path}/fetches", {})
        pages = len(pypdfium2.PdfDocument(await staff.open_cards(batch["id"], SECOND)))
        for counter in (HANDLER, SECOND):
            await staff.by(counter).post("notifier", f"{path}/counts", {"pieces": pages // 2})
        day = staff.at.campaign.draw.at
        posting = {"office": "新宿郵便局", "posted_on": f"{day:%Y-%m-%d}"}
        await staff.post("notifier", f"{path}/posting", posting)


@dataclass(frozen=True)
class _Place:
    """Place of one application in one class."""

    receipt: str
    class_id: str


async def pass_places_on(play: EventRun, taken: TakenApplications, bar: PhaseBar) -> Played:
    """Give some places up; those who are offered one accept; everybody concerned is told.

    Applicants who hold their code act themselves, those of papers telephone.
    """
    owners = _owners(play, taken)
    given_up = await _choose_places(play)
    for place in given_up:
        await _answer(play, owners, place, "withdraw")
    offered = {place.receipt: place for place in await _await_offers(play)}
    await _await_kinds(play, ("offer",), len(offered), bar)
    for place in offered.values():
        await _answer(play, owners, place, "accept")
    await _await_kinds(play, ("place-withdrawn", "place-won"), len(given_up) + len(offered), bar)
    await post_cards(play)
    return Played(tuple(place.receipt for place in given_up), tuple(offered))


async def _choose_places(play: EventRun) -> list[_Place]:
    """Return places of full classes with a waiting list, held by applicants who wait for no other class.

    An applicant who waits could be offered the other class at once: that notice has everything, and replaces this one.
    """
    classes = (await play.staff.get("lottery", "places"))["classes"]
    waiting = {place.receipt for place in await _places(play, "state=waiting")}
    chosen: dict[str, _Place] = {}
    for row in [row for row in classes if row["waiting"] and not row["free"]][:_MOST_CLASSES]:
        held = await _places(play, f"class_id={row['class_id']}&state=held")
        free_to_go = [place for place in held if place.receipt not in waiting and place.receipt not in chosen]
        chosen |= {place.receipt: place for place in free_to_go[:_GIVEN_UP]}
    return list(chosen.values())


async def _await_offers(play: EventRun) -> list[_Place]:
    """Wait until no class has both a free seat and a waiting list; return the places that are offered."""

    async def ask() -> list[JsonObject]:
        classes: list[JsonObject] = (await play.staff.get("lottery", "places"))["classes"]
        return classes

    def done(classes: list[JsonObject]) -> bool:
        return not any(row["free"] and row["waiting"] for row in classes)

    await until(ask, done, within_s=TIMEOUT_S, what="offers")
    return await _places(play, "state=offered")


async def _places(play: EventRun, query: str) -> list[_Place]:
    found = await play.staff.get("lottery", f"places?{query}")
    return [_Place(str(row["receipt"]), str(row["class_id"])) for row in found["places"]]


def _owners(play: EventRun, taken: TakenApplications) -> dict[str, JsonObject]:
    """Return what applicants show as owners of their entries, by receipt number."""
    campaign = play.staff.at.campaign
    owners = dict[str, JsonObject]()
    for application in taken.sent:
        entry, submitted = own_entry(campaign, application), taken.submitted.get(application.application_id)
        if entry is not None and submitted is not None and application.code is not None:
            proof = lottery_proof(campaign.id, entry, application.code)
            owners[submitted.receipt] = {"v": 2, "entry": entry, "proof": proof}
    return owners


async def _answer(play: EventRun, owners: Mapping[str, JsonObject], place: _Place, answer: str) -> None:
    owner = owners.get(place.receipt)
    if owner is not None:
        own = {**owner, "class_id": place.class_id, "answer": answer}
        await play.staff.post("lottery", "places/own/answer", own)
        return
    body = {"receipt": place.receipt, "class_id": place.class_id, "answer": answer}
    await play.staff.post("lottery", "places/answers", body)


async def announce(play: EventRun, bar: PhaseBar) -> frozenset[str]:
    """Announce another entrance to all who hold a place of the first class; return their receipt numbers."""
    class_id = play.staff.at.campaign.classes[0].id
    held = {place.receipt for place in await _places(play, f"class_id={class_id}&state=held")}
    body = {
        "kind": "entrance-changed",
        "params": {"entrance": "north", "class_id": class_id},
        "class_id": class_id,
    }
    await play.staff.post("notifier", "announcements", {**body, "approval": await _approve(play, body)})
    await _await_kinds(play, ("entrance-changed",), len(held), bar)
    await post_cards(play)
    return frozenset(held)


async def _approve(play: EventRun, body: JsonObject) -> JsonObject:
    """Return the executed approval of an announcement, given by the responsible handler."""
    params = announcement_params(body["kind"], body["class_id"], body["params"], again=False)
    approval = await play.staff.approval("release-notices", "announcement", RESPONSIBLE, params=params)
    return await play.staff.executed(approval)
