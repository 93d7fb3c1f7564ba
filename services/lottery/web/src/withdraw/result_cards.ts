/** Cards of the own result: one for each class asked for, with its reason, and with what can be done about it. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { moment, page, type ClassTexts } from "./page.ts";
import type { OwnOutcome, OwnPlace, OwnResult, PlaceAnswer } from "./places_client.ts";
import { FURTHER_ROUND, whyOf } from "./reasons.ts";

const FRAMES: Readonly<Partial<Record<OwnOutcome["outcome"], string>>> = { won: "state-open", offered: "state-early" };
const ANSWERS: Readonly<Partial<Record<OwnPlace["state"], readonly PlaceAnswer[]>>> = {
  held: ["withdraw"], waiting: ["withdraw"], offered: ["accept", "decline"],
};
const UNKNOWN: ClassTexts = { title: "", when: "", where: "", capacity: 0, starts_ms: 0, ends_ms: 0 };

type OnAnswer = (place: OwnPlace, answer: PlaceAnswer) => void;

/** Show the result. `onAnswer` is called for an answer that needs no confirmation, or that was confirmed. */
export function showResult(result: OwnResult, onAnswer: OnAnswer): void {
  section("no-places").hidden = result.outcomes.length > 0;
  section("places").replaceChildren(...result.outcomes.map((outcome) => card(outcome, result, onAnswer)));
}

function card(outcome: OwnOutcome, { outcomes, places }: OwnResult, onAnswer: OnAnswer): HTMLElement {
  const { class_id, seats } = outcome;
  const about = page.classes[class_id] ?? { ...UNKNOWN, title: class_id };
  const why = whyOf(outcome, outcomes);
  const facts: readonly (readonly [string, string])[] = [
    ...(why === null ? [] : [[t("withdraw.why"), why] as const]),
    ...(outcome.rank === undefined ? [] : [[t("withdraw.rank"), t(outcome.reason === FURTHER_ROUND ? "withdraw.rank.further" : "withdraw.rank.say", { rank: outcome.rank, of: outcome.of ?? 0 })] as const]),
    [t("withdraw.capacity"), t("withdraw.capacity.say", { count: about.capacity })],
    [t("withdraw.seats"), t("withdraw.people", { count: seats })],
    [t("withdraw.when"), about.when],
    [t("withdraw.where"), about.where],
  ];
  const place = places.find((each) => each.class_id === class_id);
  const actions = el("div", { class: "actions", hidden: "" });
  if (place !== undefined) showActions(actions, place, onAnswer);
  return el("li", { class: "card" },
    el("h3", { id: `title-${class_id}` }, about.title),
    el("p", { class: `state ${FRAMES[outcome.outcome] ?? ""}` }, el("strong", {}, describe(outcome))),
    el("dl", { class: "pairs" }, ...facts.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])),
    actions,
  );
}

function describe({ outcome, position, answer_by, reason }: OwnOutcome): string {
  const excluded = outcome === "lost" && (reason === "clash" || reason === "limit");
  return t(`withdraw.outcome.${excluded ? "excluded" : outcome}`, { position: position ?? 0, answer_by: answer_by === undefined ? "" : moment(answer_by) });
}

function showActions(actions: HTMLElement, place: OwnPlace, onAnswer: OnAnswer): void {
  const answers = ANSWERS[place.state] ?? [];
  actions.hidden = answers.length === 0;
  actions.replaceChildren(...answers.map((answer) => {
    const style = answer === "accept" ? "" : "button-outline";
    return button(t(`withdraw.do.${answer}`), style, place, () => {
      if (answer === "accept") onAnswer(place, answer);
      else confirm(actions, place, answer, onAnswer);
    });
  }));
}

/** Ask once more and say what it means: a place that was given up goes to the next on the waiting list. */
function confirm(actions: HTMLElement, place: OwnPlace, answer: PlaceAnswer, onAnswer: OnAnswer): void {
  const keep = button(t("withdraw.do."), "button-outline", place, () => {
    showActions(actions, place, onAnswer);
    actions.querySelector("button")?.focus();
  });
  const sure = button(t(`withdraw.do.${answer}.sure`), "", place, () => onAnswer(place, answer));
  actions.replaceChildren(el("div", { class: "state state-late", role: "alert" },
    el("p", {}, t("withdraw.sure")), el("div", { class: "actions" }, sure, keep)));
  keep.focus();
}

function button(text: string, style: string, place: OwnPlace, pressed: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: `button ${style}`, "aria-describedby": `title-${place.class_id}` }, text);
  made.addEventListener("click", pressed);
  return made;
}
