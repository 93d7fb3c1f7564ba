"""The campaign file refuses what the council forbade, and says where."""

from pathlib import Path

import pytest
import yaml

from shared.campaign import CampaignError, load_campaign, load_campaigns, quicknet

SAMPLE = Path("deploy/campaigns/777-days.yaml")


def written(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """Return the sample with a text replaced; the text must occur in it."""
    text = SAMPLE.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path = tmp_path / "campaign.yaml"
    path.write_text(text, "utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CampaignError) as caught:
        load_campaign(path)
    return str(caught.value)


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(SAMPLE.read_text("utf-8").splitlines(), 1) if text in line)


def test_the_sample_holds_the_seven_classes_of_the_report():
    campaign = load_campaign(SAMPLE)
    assert [(c.number, c.capacity) for c in campaign.classes] == [
        (1, 75), (2, 100), (3, 100), (4, 10), (5, 30), (6, 50), (7, 380),
    ]  # fmt: skip
    assert campaign.classes[6].seats == (2,)
    assert not campaign.rehearsal


@pytest.mark.parametrize(
    ("item", "rule"),
    [("religion", "R-C5"), ("free-text", "R-D4"), ("criminal-record", "R-C5"), ("my-number", "R-D1")],
)
def test_an_item_beyond_the_allowed_list_does_not_load(tmp_path: Path, item: str, rule: str):
    text = refusal(written(tmp_path, ("guardian-name]", f"guardian-name, {item}]")))
    assert f"campaign.yaml:{line_of('collects:')}: collects" in text
    assert rule in text


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("notify_by: 2018-06-03", "notify_by: 2018-06-04", "notify_by"),
        ("closes: 2018-05-29", "closes: 2018-05-14", "window.closes"),
        ("at: 2018-05-31T10", "at: 2018-05-30T10", "draw.at"),
        ("close_out: 2018-06-18", "close_out: 2018-06-01", "close_out"),
        ("capacity: 75", "capacity: 0", "classes.0.capacity"),
        ("capacity: 380", "capacity: 381", "classes.6.capacity"),
        ("seats: [2]", "seats: [1]", "classes.6.seats"),
        ("ends: 2018-06-09T11:30", "ends: 2018-06-09T09:30", "classes.0.ends"),
        ("hold_until: 2018-06-08", "hold_until: 2018-05-08", "reception.hold_until"),
        ("until: 2018-06-08T12", "until: 2018-06-03T09", "offers.until"),
        ("page: https://", "page: javascript:", "offers.page"),
        ("number: 2", "number: 1", "classes"),
        ("min_age: 20", "min_age: 200", "classes.2.eligibility.min_age"),
        ("source: both", "source: dice", "draw.source"),
        ("witnesses: 2", "witnesses: 1", "draw.witnesses"),
    ],
)
def test_impossible_dates_and_capacities_are_named_with_line_and_field(
    tmp_path: Path, before: str, after: str, field: str
):
    first = refusal(written(tmp_path, (before, after))).splitlines()[0]
    name, line, rest = first.split(":", 2)
    assert name == "campaign.yaml"
    assert rest.strip().startswith(f"{field}:")
    assert int(line) > 1


def test_the_line_is_the_line_of_the_field(tmp_path: Path):
    text = refusal(written(tmp_path, ("capacity: 380", "capacity: many")))
    assert text.startswith(f"campaign.yaml:{line_of('capacity: 380')}: classes.6.capacity")


def test_several_mistakes_are_reported_at_once(tmp_path: Path):
    text = refusal(written(tmp_path, ("capacity: 75", "capacity: 0"), ("capacity: 10\n", "capacity: x\n")))
    assert len(text.splitlines()) == 2


def test_an_unknown_member_is_refused_and_not_ignored(tmp_path: Path):
    assert "questions" in refusal(written(tmp_path, ("v: 1\n", "v: 1\nquestions: [why]\n")))


def test_a_key_that_stands_twice_is_refused(tmp_path: Path):
    assert "stands twice" in refusal(written(tmp_path, ("bcc_batch: 50", "bcc_batch: 50\nbcc_batch: 5")))


def test_a_file_that_is_not_a_yaml_mapping_is_refused(tmp_path: Path):
    for content in (b"- a\n- b\n", b"{", b"\xff\xfe\x00", b""):
        path = tmp_path / "x.yaml"
        path.write_bytes(content)
        assert refusal(path).startswith("x.yaml")


def test_the_same_campaign_in_two_files_is_refused(tmp_path: Path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    with pytest.raises(CampaignError, match="in another file too"):
        load_campaigns(tmp_path)


def test_an_empty_folder_is_refused_with_advice(tmp_path: Path):
    with pytest.raises(CampaignError, match=r"copy the sample"):
        load_campaigns(tmp_path)


BEACON = 'source: beacon\n  beacon: {{chain: "{chain}", public_key: "{key}", round: {round}}}'


@pytest.mark.parametrize(
    ("chain", "key", "number", "fields"),
    [
        (quicknet.CHAIN, quicknet.PUBLIC_KEY, 1, []),
        ("0" * 64, quicknet.PUBLIC_KEY, 1, ["draw.beacon"]),
        (quicknet.CHAIN, "0" * 192, 1, ["draw.beacon"]),
    ],
)
def test_only_the_pinned_beacon_loads(tmp_path: Path, chain: str, key: str, number: int, fields: list[str]):
    path = written(tmp_path, ("source: both", BEACON.format(chain=chain, key=key, round=number)))
    if not fields:
        assert load_campaign(path).draw.beacon is not None
    else:
        assert [line.split(": ")[1] for line in refusal(path).splitlines()] == fields


def test_a_beacon_round_that_is_known_at_the_draw_time_does_not_load(tmp_path: Path):
    """Move the sample nine years: then round 1 of 2023 is long known."""
    text = SAMPLE.read_text("utf-8").replace("2018-", "2027-")
    beacon = BEACON.format(chain=quicknet.CHAIN, key=quicknet.PUBLIC_KEY, round=1)
    (tmp_path / "later.yaml").write_text(text.replace("source: both", beacon), "utf-8")
    assert "draw.beacon.round" in refusal(tmp_path / "later.yaml")


OWN_CHAIN = 'source: beacon\n  beacon: {{chain: rehearsal, public_key: "{key}", round: {round}{times}}}'
TIMES = ", genesis: 1527638400, period: 3"


@pytest.mark.parametrize(
    ("first_line", "times", "fields"),
    [
        ("v: 1\nrehearsal: true", TIMES, []),
        ("v: 1", TIMES, ["draw.beacon.chain"]),
        ("v: 1\nrehearsal: true", "", ["draw.beacon"]),
    ],
)
def test_only_a_rehearsal_may_name_a_chain_of_its_own(tmp_path: Path, first_line: str, times: str, fields: list[str]):
    draw = OWN_CHAIN.format(key="0" * 192, round=10**6, times=times)
    path = written(tmp_path, ("v: 1", first_line), ("source: both", draw))
    if not fields:
        assert load_campaign(path).draw.beacon is not None
    else:
        assert [line.split(": ")[1] for line in refusal(path).splitlines()] == fields


def test_a_round_of_a_rehearsals_chain_that_is_known_at_the_draw_time_does_not_load(tmp_path: Path):
    draw = OWN_CHAIN.format(key="0" * 192, round=1, times=TIMES)
    assert "draw.beacon.round" in refusal(written(tmp_path, ("v: 1", "v: 1\nrehearsal: true"), ("source: both", draw)))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("\n  opens: ", "\n  opens: [", "opens: ["),
        ("\nwindow:\n", "\nwindow:\nwindow:\n", "window:"),
        ("\nwindow:\n", "\nwindow: \t{}\nx:\n", "window: "),
    ],
    ids=["not closed", "twice", "a tab"],
)
def test_what_is_no_yaml_is_shown_with_its_line_and_a_mark(tmp_path: Path, before: str, after: str, shown: str):
    said = refusal(written(tmp_path, (before, after)))
    assert "not YAML" in said
    assert any(line.strip() == "^" for line in said.splitlines()), said
    assert shown in said


TABS = [
    "a:\tb",
    "a: b\t# c",
    "a: {b: c,\td: e}",
    "a: [\t1]",
    "a:\t|\n x",
    "a: |\t\n x",
    "a: 1\n \t\nb: 2",
    "a: [1,\n\t2]",
]
"""Tabs between tokens, which libyaml takes and PyYAML refuses."""
OTHERS = ["a: >\n \tx", "%FOO x\n---\na: 1", 'a: "\\ud800"', 'a: "\\U00110000"']
"""Texts that libyaml refuses and PyYAML takes, or fails at."""
QUESTIONS = ["a: [? b, c]", "a: [?b]", "a: {? b: c}", "a: [b, ? c : d]", "a: ?b", "- ?", "? a\n: b", "- ? a\n- ? b"]


@pytest.mark.parametrize("text", [*TABS, *OTHERS])
def test_where_the_two_loaders_differ_the_stricter_one_decides(tmp_path: Path, text: str):
    path = tmp_path / "campaign.yaml"
    path.write_text(text, "utf-8")
    assert "not YAML" in refusal(path)


@pytest.mark.parametrize("text", QUESTIONS)
def test_both_loaders_read_question_marks_alike(text: str):
    found = []
    for loader in (yaml.SafeLoader, yaml.CSafeLoader):
        try:
            found.append(repr(yaml.load(text, Loader=loader)))  # noqa: S506  (both make plain values only)
        except yaml.YAMLError as error:
            found.append(type(error).__name__)
    assert found[0] == found[1]
