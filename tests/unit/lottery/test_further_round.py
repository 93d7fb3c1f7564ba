"""A further round gives free seats only, to entries that may take them, and takes nothing from anybody."""

import copy
import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from services.lottery.promotion.states import PlaceState
from services.lottery.record.manifest import Manifest
from services.lottery.record.rows import compute_root, read_rows
from services.lottery.record.taken_over import read_places
from services.lottery.verification.chain_checks import check_chain
from services.lottery.verification.transcript_checks import verify_transcript
from shared.campaign import Campaign
from shared.canonical import canonical
from shared.signing import SigningKey
from tests.support.draw_builders import entry, transcript_of
from tests.support.further_rounds import add_round, places_after, with_moves
from tests.unit.web.test_verifying import some_campaign

SIGNING = SigningKey.generate()
Chain = Sequence[Mapping[str, Any]]


def some_chain(seed: int, scope: str = "asked", rounds: int = 1) -> tuple[Campaign, Chain, Mapping[bytes, Any]]:
    """Return a random campaign, the transcripts of its draw and further rounds, and what entries are eligible for."""
    chance = random.Random(seed)  # noqa: S311  (cases, not secrets)
    campaign = some_campaign(chance)
    campaign = campaign.model_copy(update={"draw": campaign.draw.model_copy(update={"further_round": scope})})
    names = [each.id for each in campaign.classes]
    entries = [
        entry(
            chance.getrandbits(128),
            *((name, chance.choice((1, 1, 2, 3))) for name in chance.sample(names, chance.randint(1, len(names)))),
        )
        for _ in range(chance.choice((3, 20, 60)))
    ]
    eligible = {
        each.id: tuple((name, 1) for name in names if name not in dict(each.choices) and chance.random() < 0.5)
        for each in entries
    }
    chain = [transcript_of(campaign, entries, SIGNING)]
    for _ in range(rounds):
        chain[-1] = with_moves(chain[-1], SIGNING, chance)
        chain.append(add_round(campaign, chain, SIGNING, eligible))
    return campaign, chain, eligible


CASES = [some_chain(seed, ("asked", "everybody")[seed % 2], 1 + seed % 3 % 2) for seed in range(80)]


def faults(chain: Chain) -> set[str]:
    """Return the names of all checks of the last draw and of its chain that fail."""
    *earlier, last = chain
    checks = [*verify_transcript(last).checks, *check_chain(last, earlier)]
    return {check.name for check in checks if not check.passed}


def seated(content: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    """Return the seats of held places by entry and class, after the history."""
    places = places_after(content).places
    return {key: place.seats for key, place in places.items() if place.state is PlaceState.HELD}


def test_good_chains_hold_and_some_of_them_give_places():
    assert [faults(chain) for _, chain, _ in CASES] == [set()] * len(CASES)
    winners = [sum(map(len, chain[-1]["winners"].values())) for _, chain, _ in CASES]
    assert sum(count > 0 for count in winners) > len(CASES) // 3
    assert any(len(chain) == 3 for _, chain, _ in CASES)


def test_no_entry_loses_a_place():
    for _, (*_, before, last), _ in CASES:
        assert seated(before).items() <= seated(last).items()


def test_no_entry_gets_a_place_that_it_did_not_ask_for_unless_everybody_takes_part():
    for campaign, (first, *_, last), eligible in CASES:
        asked = {each.id: dict(each.choices) for each in read_rows(first["rows"])}
        everybody = campaign.draw.further_round == "everybody"
        for name, won in last["winners"].items():
            for one in map(bytes.fromhex, won):
                assert name in asked[one] or (everybody and name in dict(eligible[one]))


def test_where_everybody_takes_part_only_entries_without_a_place_do():
    for campaign, (*_, last), _ in CASES:
        holders = {place.entry for place in read_places(last["places"]) if place.position == 0}
        listed = {each.id.hex() for each in read_rows(last["rows"])}
        assert campaign.draw.further_round == "asked" or not listed & holders


def test_seats_limit_and_overlaps_are_kept():
    for _, (*_, last), _ in CASES:
        manifest, held = Manifest.read(last["manifest"]), seated(last)
        rules = {rule.id: rule for rule in manifest.classes}
        for name, rule in rules.items():
            assert sum(seats for (_, class_id), seats in held.items() if class_id == name) <= rule.capacity
        for one in {entry_id for entry_id, _ in held}:
            own = [rules[name] for entry_id, name in held if entry_id == one]
            assert len(own) <= manifest.rules.max_wins
            assert all(a is b or a.ends <= b.starts or b.ends <= a.starts for a in own for b in own)


def test_an_entry_that_gave_a_place_up_is_not_drawn_for_the_class_again():
    for _, (*earlier, last), _ in CASES:
        gone = {
            (event["entry"], event["class"])
            for one in earlier
            for event in one["history"]
            if event["event"] == "withdrawn"
        }
        listed = {(each.id.hex(), name) for each in read_rows(last["rows"]) for name, _ in each.choices}
        assert not listed & gone


def resigned(content: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the transcript with another manifest, signed as a cheating office would, with the right K and winners."""
    line = canonical(dict(manifest)).decode()
    unsigned = {name: value for name, value in content.items() if name != "signature_of_result"}
    unsigned |= {"manifest": line, "signature": SIGNING.sign(line.encode())}
    return {**unsigned, "signature_of_result": SIGNING.sign(canonical(unsigned))}


def changed(content: Mapping[str, Any], change: Callable[[Any, Any], object]) -> dict[str, Any]:
    content = copy.deepcopy(dict(content))
    manifest = json.loads(content["manifest"])
    change(content, manifest)
    return resigned(content, manifest)


def hide_a_place(content: Any, manifest: Any) -> None:
    """Leave a held place out, so that its seats look free."""
    lines = content["places"].splitlines(keepends=True)
    lines.remove(next(line for line in lines if line.split()[1] == "0"))
    content["places"] = "".join(lines)
    manifest["further"]["places"] = {"count": len(lines), "root": compute_root(content["places"])}


def leave_an_entry_out(content: Any, manifest: Any) -> None:
    rows = content["rows"].split("\n", 1)[1]
    content["rows"] = rows
    counts: dict[str, int] = {}
    for each in read_rows(rows):
        for name, _ in each.choices:
            counts[name] = counts.get(name, 0) + 1
    manifest |= {"rows": manifest["rows"] - 1, "root": compute_root(rows)}
    manifest["counts"] |= {"class": counts, "channel": {"web": manifest["rows"]}}


CHEATS: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "more seats than are free": (
        lambda _, m: m["further"]["free"].update(dict.fromkeys(m["further"]["free"], 99)), "free seats"),
    "a place is hidden": (hide_a_place, "draws before"),
    "an entry is left out": (leave_an_entry_out, "draws before"),
    "another history": (lambda _, m: m["further"].update(history_sha256="0" * 64), "draws before"),
    "another draw before": (lambda _, m: m["further"].update(manifest_sha256="0" * 64), "draws before"),
    "places without their form": (lambda t, _: t.update(places=t["places"][:-1]), "form"),
    "everybody, against the rules": (lambda _, m: m["further"].update(scope="everybody"), "who takes part"),
    "everybody, by other rules than the first draw's": (
        lambda _, m: (m["further"].update(scope="everybody"), m["rules"].update(further_round="everybody")),
        "draws before",
    ),
    "a winner more": (lambda t, _: t["winners"][next(iter(t["winners"]))].append("00" * 16), "winners"),
}  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheating_office_is_found_by_name(cheat: str):
    change, check = CHEATS[cheat]
    found = 0
    for campaign, (*earlier, last), _ in CASES:
        whole = campaign.draw.further_round == "asked"  # for which classes others are eligible, no transcript says
        if whole and sum(map(len, last["winners"].values())) and last["places"] and last["rows"].count("\n") > 1:
            assert check in faults([*earlier, changed(last, change)])
            found += 1
    assert found > 5


def test_a_further_round_without_the_draws_before_it_is_not_verified():
    _, (*_, last), _ = CASES[0]
    assert verify_transcript(last).passed
    assert faults([last]) == {"draws before"}


def test_a_draw_of_another_campaign_is_not_what_it_continues():
    for (_, (*_, one), _), (_, (*other, _), _) in zip(CASES[:10], CASES[10:20], strict=True):
        assert "draws before" in faults([*other, one])
    assert hashlib.sha256(CASES[0][1][0]["manifest"].encode()).hexdigest() in CASES[0][1][1]["manifest"]
