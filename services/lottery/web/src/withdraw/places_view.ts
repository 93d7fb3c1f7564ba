/** View of the own places: one card for each class, with what can be done about it. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { moment, page } from "./page.ts";
import type { OwnPlace, PlaceAnswer } from "./places_client.ts";

const FRAMES: Readonly<Partial<Record<OwnPlace["state"], string>>> = { held: "state-open", offered: "state-early" };
const ANSWERS: Readonly<Partial<Record<OwnPlace["state"], readonly PlaceAnswer[]>>> = {
  held: ["withdraw"], waiting: ["withdraw"], offered: ["accept", "decline"],
};

/** Show the places. `onAnswer` is called for an answer that needs no confirmation, or that was confirmed. */
export function showPlaces(places: readonly OwnPlace[], onAnswer: (place: OwnPlace, answer: PlaceAnswer) => void): void {
  section("no-places").hidden = places.length > 0;
  section("places").replaceChildren(...places.map((place) => card(place, onAnswer)));
}

function card(place: OwnPlace, onAnswer: (place: OwnPlace, answer: PlaceAnswer) => void): HTMLElement {
  const { title, when, where } = page.classes[place.class_id] ?? { title: place.class_id, when: "", where: "" };
  const facts: (readonly [string, string])[] = [
    [t("withdraw.when"), when],
    [t("withdraw.where"), where],
    [t("withdraw.seats"), t("withdraw.people", { count: place.seats })],
    ...(place.why === null ? [] : [[t("withdraw.why"), t(`withdraw.why.${place.why}`)] as const]),
  ];
  const actions = el("div", { class: "actions" });
  showActions(actions, place, onAnswer);
  return el("li", { class: "card" },
    el("h3", { id: `title-${place.class_id}` }, title),
    el("p", { class: `state ${FRAMES[place.state] ?? ""}` }, el("strong", {}, describeState(place))),
    el("dl", { class: "pairs" }, ...facts.flatMap(([name, text]) => [el("dt", {}, name), el("dd", {}, text)])),
    actions,
  );
}

function describeState(place: OwnPlace): string {
  const until = place.answer_by === null ? "" : moment(place.answer_by);
  return t(`withdraw.state.${place.state}`, { position: place.position ?? 0, answer_by: until });
}

function showActions(actions: HTMLElement, place: OwnPlace, onAnswer: (place: OwnPlace, answer: PlaceAnswer) => void): void {
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
function confirm(actions: HTMLElement, place: OwnPlace, answer: PlaceAnswer, onAnswer: (place: OwnPlace, answer: PlaceAnswer) => void): void {
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
