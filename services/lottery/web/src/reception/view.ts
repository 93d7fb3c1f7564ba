/** What the desk sees: one large answer, counts, the last scans. Colour, shape, words and sound say the same. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import type { Code } from "./attendance.ts";
import type { Book, Noted } from "./scan_log.ts";
import type { Outcome } from "./desk.ts";
import type { Line } from "./roster.ts";
import type { Tone } from "./sounds.ts";

const TONES: Readonly<Record<Code, Tone>> = {
  admitted: "good", again: "look", more: "look", conflict: "look", early: "look", "other-class": "look", "not-held": "look",
  gone: "bad", over: "bad", unknown: "bad", forged: "bad", undone: "look", undo: "look",
};
const SIGNS: Readonly<Record<Tone, string>> = { good: "○", look: "△", bad: "×" };
const SHOWN = 8;

export interface Buttons {
  undo(noted: Noted): void;
  only(noted: Noted, people: number): void;
  choose(line: Line): void;
}

/** Show it, and say which tone belongs to it. */
export function showAnswer(outcome: Outcome, book: Book, buttons: Buttons): Tone {
  if (outcome.kind === "choice") return showChoice(outcome.lines, outcome.receipt, book, buttons);
  if (outcome.kind !== "noted") return put("bad", t(`reception.answer.${outcome.kind}`), [t(`reception.do.${outcome.kind}`)], []);
  const { noted, verdict, line } = outcome;
  const { code } = verdict;
  const title = className(book, noted.classId);
  const facts = line === undefined ? [] : [title, line.receipt, people(book, line)];
  const before = verdict.first === null ? undefined : book.get(verdict.first);
  if (code === "again" && before !== undefined) {
    facts.push(t("reception.first", { time: time(before.at), device: before.device.split("-")[0] ?? "" }));
  }
  if (code !== "admitted" || verdict.counted > 1) facts.push(t(`reception.do.${code}`));
  return put(TONES[code], t(`reception.answer.${code}`), facts, corrections(outcome, buttons));
}

export function showWaiting(): void {
  section("answer").className = "answer";
  section("answer").replaceChildren(el("p", { class: "answer-word" }, t("reception.ready")));
}

export function showCounts(book: Book, serves: string | null): void {
  const rows = book.counts().map(({ of, seats, people: inside }) =>
    el("tr", of.id === serves ? { class: "served" } : {},
      el("th", { scope: "row" }, `${of.number} ${of.title}`),
      el("td", {}, el("strong", {}, String(inside)), ` / ${seats}`),
      el("td", {}, el("progress", { max: String(Math.max(1, seats)), value: String(inside), "aria-label": `${of.title} ${inside} / ${seats}` })),
    ),
  );
  section("counts").replaceChildren(...rows);
}

export function showRecent(book: Book, device: string, buttons: Buttons): void {
  const own = book.all().filter((each) => each.device === device && each.undoes === null);
  const last = own.sort((one, other) => other.at - one.at).slice(0, SHOWN);
  section("recent").replaceChildren(...last.map((each) => entry(each, book, buttons)));
  section("no-recent").hidden = last.length > 0;
}

/** Answers that turned out otherwise when the devices met. */
export function showChanged(book: Book, device: string): void {
  const changed = book.changed(device);
  section("changed").hidden = changed.length === 0;
  section("changed-list").replaceChildren(
    ...changed.map((each) => {
      const first = book.get(book.verdict(each).first ?? "");
      const where = first === undefined ? "" : ` — ${t("reception.first", { time: time(first.at), device: first.device.split("-")[0] ?? "" })}`;
      return el("li", {}, `${time(each.at)} ${className(book, each.classId)} ${receiptOf(book, each)}${where}`);
    }),
  );
}

function entry(noted: Noted, book: Book, buttons: Buttons): HTMLElement {
  const verdict = book.verdict(noted);
  const tone = TONES[verdict.code];
  const said = `${time(noted.at)} ${t(`reception.answer.${verdict.code}`)} ${verdict.counted > 0 ? t("reception.people", { people: verdict.counted }) : ""}`;
  const line = el("li", {},
    el("span", { class: `mark mark-${tone}`, "aria-hidden": "true" }, SIGNS[tone]),
    el("span", { class: "recent-text" }, said, el("br"), `${className(book, noted.classId)} ${receiptOf(book, noted)}`),
  );
  if (verdict.counted > 0) line.append(button(t("reception.undo"), "button button-text", () => buttons.undo(noted)));
  return line;
}

function showChoice(lines: readonly Line[], receipt: string, book: Book, buttons: Buttons): Tone {
  const choices = lines.map((line) => button(`${className(book, line.classId)}（${people(book, line)}）`, "button button-outline", () => buttons.choose(line)));
  return put("look", t("reception.choice"), [receipt], choices);
}

function corrections(outcome: Outcome & { kind: "noted" }, buttons: Buttons): HTMLButtonElement[] {
  const { noted, verdict } = outcome;
  if (verdict.counted === 0) return [];
  const fewer = Array.from({ length: verdict.counted - 1 }, (_, at) => at + 1);
  return [
    ...fewer.map((count) => button(t("reception.only", { people: count }), "button button-outline", () => buttons.only(noted, count))),
    button(t("reception.undo"), "button button-outline", () => buttons.undo(noted)),
  ];
}

function put(tone: Tone, word: string, facts: readonly string[], buttons: readonly HTMLElement[]): Tone {
  section("answer").className = `answer answer-${tone}`;
  section("answer").replaceChildren(
    el("p", { class: "answer-sign", "aria-hidden": "true" }, SIGNS[tone]),
    el("p", { class: "answer-word" }, word),
    ...facts.map((fact) => el("p", {}, fact)),
    el("p", { class: "answer-buttons" }, ...buttons),
  );
  return tone;
}

function people(book: Book, line: Line): string {
  return t("reception.of", { people: book.inside(line), seats: line.place.seats });
}

function className(book: Book, classId: string): string {
  const of = book.ofClass(classId);
  return of === undefined ? "" : `${of.number} ${of.title}`;
}

function receiptOf(book: Book, noted: Noted): string {
  return noted.receipt ?? book.roster.lines.get(noted.placeId ?? "")?.receipt ?? "";
}

function time(at: number): string {
  return new Date(at).toLocaleTimeString("ja-JP", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" });
}

function button(text: string, kind: string, pressed: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: kind }, text);
  made.addEventListener("click", pressed);
  return made;
}
