/** Parts of the reception view: one large answer, counts, the last scans. Colour, shape, words and sound agree. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import type { Code } from "./attendance.ts";
import type { Reading, ReadResult } from "./device.ts";
import type { RosterLine } from "./roster.ts";
import type { ScanLog, StoredScan } from "./scan_log.ts";
import type { Tone } from "./sounds.ts";

const TONES: Readonly<Record<Code, Tone>> = {
  admitted: "good", again: "look", more: "look", conflict: "look", early: "look", "other-class": "look", "not-held": "look",
  gone: "bad", over: "bad", unknown: "bad", forged: "bad", "wrong-code": "bad", compare: "look", undone: "look", undo: "look",
};
const SIGNS: Readonly<Record<Tone, string>> = { good: "○", look: "△", bad: "×" };
const RECENT = 8;

export interface AnswerActions {
  undo(scan: StoredScan): void;
  correct(scan: StoredScan, people: number): void;
  choose(line: RosterLine, reading: Reading): void;
  compared(line: RosterLine): void;
}

/** Show the result of a reading. Return the tone that belongs to it. */
export function showAnswer(result: ReadResult, log: ScanLog, actions: AnswerActions): Tone {
  if (result.kind === "choice") return showChoice(result.lines, result.reading, log, actions);
  if (result.kind !== "noted") return showAnswerBox("bad", t(`reception.answer.${result.kind}`), [t(`reception.do.${result.kind}`)], []);
  const { scan, verdict, line } = result;
  const { code } = verdict;
  const title = className(log, scan.classId);
  const facts = line === undefined ? [] : [title, line.receipt, countOf(log, line)];
  const before = verdict.first === null ? undefined : log.get(verdict.first);
  if (code === "again" && before !== undefined) {
    facts.push(t("reception.first", { time: time(before.at), device: before.device.split("-")[0] ?? "" }));
  }
  if (code !== "admitted" || verdict.counted > 1) facts.push(t(`reception.do.${code}`));
  const buttons = code === "compare" && line !== undefined ? [comparedButton(line, actions)] : corrections(result, actions);
  return showAnswerBox(TONES[code], t(`reception.answer.${code}`), facts, buttons);
}

export function showReady(): void {
  section("answer").className = "answer";
  section("answer").replaceChildren(el("p", { class: "answer-word" }, t("reception.ready")));
}

export function showCounts(log: ScanLog, servedClass: string | null): void {
  const rows = log.counts().map(({ eventClass, seats, people: inside }) =>
    el("tr", eventClass.id === servedClass ? { class: "served" } : {},
      el("th", { scope: "row" }, `${eventClass.number} ${eventClass.title}`),
      el("td", {}, el("strong", {}, String(inside)), ` / ${seats}`),
      el("td", {}, el("progress", { max: String(Math.max(1, seats)), value: String(inside), "aria-label": `${eventClass.title} ${inside} / ${seats}` })),
    ),
  );
  section("counts").replaceChildren(...rows);
}

export function showRecent(log: ScanLog, device: string, actions: AnswerActions): void {
  const own = log.all().filter((scan) => scan.device === device && scan.undoes === null);
  const last = own.sort((one, other) => other.at - one.at).slice(0, RECENT);
  section("recent").replaceChildren(...last.map((scan) => entry(scan, log, actions)));
  section("no-recent").hidden = last.length > 0;
}

/** Show this device's admissions whose verdict changed when other devices' scans arrived. */
export function showChanged(log: ScanLog, device: string): void {
  const changed = log.changed(device);
  section("changed").hidden = changed.length === 0;
  section("changed-list").replaceChildren(
    ...changed.map((scan) => {
      const first = log.get(log.verdict(scan).first ?? "");
      const where = first === undefined ? "" : ` — ${t("reception.first", { time: time(first.at), device: first.device.split("-")[0] ?? "" })}`;
      return el("li", {}, `${time(scan.at)} ${className(log, scan.classId)} ${receiptOf(log, scan)}${where}`);
    }),
  );
}

function entry(scan: StoredScan, log: ScanLog, actions: AnswerActions): HTMLElement {
  const verdict = log.verdict(scan);
  const tone = TONES[verdict.code];
  const text = `${time(scan.at)} ${t(`reception.answer.${verdict.code}`)} ${verdict.counted > 0 ? t("reception.people", { people: verdict.counted }) : ""}`;
  const line = el("li", {},
    el("span", { class: `mark mark-${tone}`, "aria-hidden": "true" }, SIGNS[tone]),
    el("span", { class: "recent-text" }, text, el("br"), `${className(log, scan.classId)} ${receiptOf(log, scan)}`),
  );
  if (verdict.counted > 0) line.append(button(t("reception.undo"), "button button-text", () => actions.undo(scan)));
  return line;
}

function comparedButton(line: RosterLine, actions: AnswerActions): HTMLButtonElement {
  return button(t("reception.compared"), "button button-outline", () => actions.compared(line));
}

function showChoice(lines: readonly RosterLine[], reading: Reading, log: ScanLog, actions: AnswerActions): Tone {
  const choices = lines.map((line) => button(`${className(log, line.classId)}（${countOf(log, line)}）`, "button button-outline", () => actions.choose(line, reading)));
  return showAnswerBox("look", t("reception.choice"), [lines[0]?.receipt ?? ""], choices);
}

function corrections(result: ReadResult & { kind: "noted" }, actions: AnswerActions): HTMLButtonElement[] {
  const { scan, verdict } = result;
  if (verdict.counted === 0) return [];
  const fewer = Array.from({ length: verdict.counted - 1 }, (_, at) => at + 1);
  return [
    ...fewer.map((count) => button(t("reception.only", { people: count }), "button button-outline", () => actions.correct(scan, count))),
    button(t("reception.undo"), "button button-outline", () => actions.undo(scan)),
  ];
}

function showAnswerBox(tone: Tone, word: string, facts: readonly string[], buttons: readonly HTMLElement[]): Tone {
  section("answer").className = `answer answer-${tone}`;
  section("answer").replaceChildren(
    el("p", { class: "answer-sign", "aria-hidden": "true" }, SIGNS[tone]),
    el("p", { class: "answer-word" }, word),
    ...facts.map((fact) => el("p", {}, fact)),
    el("p", { class: "answer-buttons" }, ...buttons),
  );
  return tone;
}

function countOf(log: ScanLog, line: RosterLine): string {
  return t("reception.of", { people: log.inside(line), seats: line.place.seats });
}

function className(log: ScanLog, classId: string): string {
  const eventClass = log.findClass(classId);
  return eventClass === undefined ? "" : `${eventClass.number} ${eventClass.title}`;
}

function receiptOf(log: ScanLog, scan: StoredScan): string {
  return scan.receipt ?? log.roster.lines.get(scan.placeId ?? "")?.receipt ?? "";
}

function time(at: number): string {
  return new Date(at).toLocaleTimeString("ja-JP", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit" });
}

function button(text: string, kind: string, pressed: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: kind }, text);
  made.addEventListener("click", pressed);
  return made;
}
