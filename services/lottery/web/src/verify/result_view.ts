/** Result view: the verdict, every check, the record's facts, and the result by class. */

import { byId, el, section } from "#shared/dom.ts";
import { maybe, t } from "#shared/page.ts";
import type { Check } from "./checks.ts";
import type { Facts } from "./facts.ts";
import { moment, page, title } from "./page.ts";

/** Set text and CSS class of an element. */
export function say(id: string, kind: string, text: string): void {
  section(id).className = kind;
  section(id).textContent = text;
}

/** Shows the checks of one record as they arrive, and the verdict at the end. */
export class ResultView {
  private failed = 0;

  begin(): void {
    this.failed = 0;
    for (const id of ["checks", "facts", "table", "path", "kept"]) section(id).replaceChildren();
    for (const id of ["follow", "table", "rehearsed", "own-chain"]) section(id).hidden = true;
    section("found").hidden = false;
    say("verdict", "state", t("verify.working"));
    const bar = byId("progress", HTMLProgressElement);
    bar.hidden = false;
    bar.removeAttribute("value");
  }

  progress(share: number): void {
    byId("progress", HTMLProgressElement).value = share;
  }

  /** End the progress bar and show `text` in place of a verdict. */
  stop(kind: string, text: string): void {
    section("progress").hidden = true;
    say("verdict", kind, text);
  }

  check(check: Check): void {
    this.failed += check.passed ? 0 : 1;
    section("checks").append(checkLine(check));
  }

  verdict(facts: Facts | null): void {
    const good = this.failed === 0 && facts !== null;
    this.stop(good ? "verdict verdict-good" : "verdict verdict-bad", t(good ? "verify.good" : "verify.bad"));
    if (facts === null) return;
    section("facts").replaceChildren(...pairs(facts).flatMap(([name, value]) => [el("dt", {}, t(`verify.fact.${name}`)), el("dd", { class: MONO.includes(name) ? "mono" : "" }, value)]));
    section("rehearsed").hidden = !facts.rehearsal;
    section("own-chain").hidden = !facts.ownChain;
    section("follow").hidden = !good;
    section("table").hidden = !good;
    if (good) section("table").replaceChildren(el("h3", {}, t("verify.table")), table(facts));
  }
}

/** Return the line of one check: mark, name, verdict and figures. */
export function checkLine(check: Check): HTMLElement {
  const mark = el("span", { class: check.passed ? "mark mark-good" : "mark mark-bad", "aria-hidden": "true" }, check.passed ? "✓" : "✗");
  const name = maybe(`verify.check.${check.name.replaceAll(/[ ']/gu, "-")}`) ?? check.name;
  const words = [t(check.passed ? "verify.holds" : "verify.fails"), ...figures(check)].join(" ");
  return el("li", {}, mark, ` ${name}: ${words}`);
}

function figures(check: Check): string[] {
  return Object.entries(check.found ?? {}).map(([name, value]) => (maybe(`verify.found.${name}`) === undefined ? String(value) : t(`verify.found.${name}`, { value })));
}

const MONO: readonly string[] = ["dice", "evidence", "key"];

type Pair = readonly [name: string, value: string];

function pairs(facts: Facts): Pair[] {
  const { dice, override, previous, round } = facts;
  return [
    ["draw", facts.draw],
    ["entries", String(facts.entries)],
    ["frozen", moment(facts.frozenAt)],
    ...(override === null ? [] : [["override", t("verify.fact.override.say", { held: override.held, undecided: override.undecided, reason: override.reason })] as const]),
    ...(facts.further ? [["kind", t("verify.fact.kind.further")] as const] : []),
    ...(previous === null || facts.further ? [] : [["previous", t("verify.fact.previous.say", { draw: previous.draw, reason: maybe(`verify.reason.${previous.reason}`) ?? previous.reason })] as const]),
    ...(dice === null ? [] : [["dice", dice] as const, ["witnesses", facts.witnesses.map((role) => maybe(`verify.role.${role}`) ?? role).join(page.lang === "ja" ? "、" : ", ")] as const]),
    ...facts.evidence.map((hash) => ["evidence", hash] as const),
    ["round", String(round)],
    ["key", facts.key],
  ];
}

const COLUMNS = ["capacity", "asked", "won", "seats", "waiting"] as const;

function table(facts: Facts): HTMLElement {
  const head = el("tr", {}, el("th", { scope: "col" }, t("verify.table.class")), ...COLUMNS.map((name) => el("th", { scope: "col" }, t(`verify.table.${name}`))));
  const rows = facts.classes.map((row) => el("tr", {}, el("th", { scope: "row" }, title(row.id)), ...COLUMNS.map((name) => el("td", {}, String(row[name])))));
  return el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("verify.table") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}
