"""The demo's report: a table for people, JSON for machines."""

from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from deploy.demo.facts import Facts, Invariant
from shared.json_types import JsonObject


@dataclass
class Report:
    """Report of a played event: figures, invariants, files to look at. `seconds` by phase."""

    machine: str
    facts: Facts
    summaries: JsonObject
    invariants: list[Invariant]
    certificate: JsonObject
    returned_bytes: int
    files: dict[str, str]
    vault_key: str
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return bool(self.invariants) and all(invariant.holds for invariant in self.invariants)

    def figures(self) -> JsonObject:
        """Counts only."""
        vault, notifier = self.summaries["vault"], self.summaries["notifier"]
        outcomes = Counter(outcome.outcome for outcomes in self.facts.outcomes.values() for outcome in outcomes)
        return {
            "received": len(self.facts.sent),
            "by_channel": vault["channels"],
            "accepted": vault["applications"].get("accepted", 0),
            "refused": vault["applications"].get("rejected", 0),
            "refused_by_reason": vault["reasons"],
            "held": len(self.facts.desk),
            "copies": vault["applications"].get("superseded", 0),
            "corrected": sum(bool(each.later) and each.expected.status == "accepted" for each in self.facts.sent),
            "withdrawn": vault["applications"].get("withdrawn", 0),
            "won": outcomes["won"],
            "waiting": outcomes["waiting"],
            "lost": outcomes["lost"],
            "not_in_draw": outcomes["refused"],
            "seats": self.seats(),
            "lost_by_reason": Counter(
                each.reason or ""
                for notified in self.facts.outcomes.values()
                for each in notified
                if each.outcome == "lost"
            ),
            "mails": notifier["mails"],
            "bounced_to_post": notifier["bounced"],
            "postcards": notifier["postcards"],
            "returned_bytes": self.returned_bytes,
            "erased": self.erased(),
        }

    def seats(self) -> dict[str, str]:
        taken: Counter[str] = Counter()
        for outcomes in self.facts.outcomes.values():
            for outcome in outcomes:
                if outcome.outcome == "won":
                    taken[outcome.class_id] += outcome.seats
        return {each.id: f"{taken[each.id]}/{each.capacity}" for each in self.facts.campaign.classes}

    def erased(self) -> int:
        """Records counted before the erasure, over all services and stores."""
        return sum(int(store.get("before") or 0) for store in self.certificate["services"])

    def to_json(self) -> JsonObject:
        return {
            "v": 1,
            "passed": self.passed,
            "machine": self.machine,
            "figures": self.figures(),
            "invariants": [vars(invariant) for invariant in self.invariants],
            "seconds": self.seconds,
            "certificate_verdict": self.certificate["verdict"],
            "files": self.files,
            "vault_signing_key": self.vault_key,
        }

    def show(self, console: Console) -> None:
        console.print(Group(self._figures_table(), self._seats_table(), self._invariants_table(), self._times()))
        for name, path in self.files.items():
            console.print(f"  {name:12} {path}", soft_wrap=True)
        published = f"{self.files['transcript']} --roll {self.files['roll']}"
        console.print(f"  check them: ./kuji verify {published}", soft_wrap=True)
        certificate = self.files["certificate"].removesuffix("pdf") + "json"
        console.print(f"              ./kuji verify {certificate} --key {self.vault_key}", soft_wrap=True)

    def _figures_table(self) -> Table:
        table = Table(title="777 days: from sealed applications to the certificate", show_header=False, min_width=70)
        for name, value in self.figures().items():
            if name != "seats":
                shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else f"{value:,}"
                table.add_row(name.replace("_", " "), shown)
        return table

    def _seats_table(self) -> Table:
        table = Table("class", "places taken", title="Places", min_width=70)
        for event_class in self.facts.campaign.classes:
            table.add_row(f"{event_class.title.ja}", self.seats()[event_class.id])
        return table

    def _invariants_table(self) -> Table:
        table = Table("", "must hold", "seen", title="Invariants", min_width=70)
        for invariant in self.invariants:
            mark = Text("✓", style="green") if invariant.holds else Text("✗", style="bold red")
            table.add_row(mark, invariant.name, invariant.detail)
        return table

    def _times(self) -> Text:
        return Text("seconds: " + ", ".join(f"{name} {took}" for name, took in self.seconds.items()), style="dim")
