/** Program of the page of own result: computes the proof from the code, shows each class, sends the answers. */

import { lotteryProof, parseCode } from "#shared/codes.ts";
import { byId, section, showOnly } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { entriesOfNumber, entryOfReceipt, readNumber, type OwnNumber } from "../own/own_entry.ts";
import { page } from "./page.ts";
import { ownResult, sendAnswer, type OwnEntry, type OwnPlace, type OwnResult, type PlaceAnswer, type PlacesAnswer, type Refusal } from "./places_client.ts";
import { showResult } from "./result_cards.ts";

const STEPS = ["ask", "own"];

/** Entry of this page until it is closed; nothing is stored. */
let own: OwnEntry | null = null;
let isBusy = false;

async function ask(): Promise<void> {
  const number = readNumber(byId("number", HTMLInputElement).value);
  const code = parseCode(byId("code", HTMLInputElement).value);
  showMistake("code", code === null ? t("withdraw.error.code") : "");
  showMistake("number", number === null ? t("withdraw.error.number") : "");
  if (number === null || code === null) return;
  tell("withdraw.working");
  const found = await find(number, code).catch((): Refusal => "away");
  if (typeof found === "string") return tell(`withdraw.error.${found}`);
  own = found.own;
  byId("code", HTMLInputElement).value = "";
  section("own-number").textContent = "receipt" in number ? number.receipt : number.entryNumber;
  tell("");
  showOnly("own", STEPS);
  showResult(found.result, (place, answer) => void send(place, answer));
}

/** Find the entry that belongs to number and code; that its result is told proves that they belong together. */
async function find(number: OwnNumber, code: string): Promise<{ own: OwnEntry; result: OwnResult } | Refusal> {
  let refusal: Refusal = "not-yours";
  for (const entry of await candidates(number, code)) {
    const candidate = { entry, proof: lotteryProof(page.campaign, entry, code) };
    const answer = await ownResult(candidate);
    if ("places" in answer) return { own: candidate, result: answer };
    refusal = answer.refusal;
    if (refusal !== "not-yours") break;
  }
  return refusal;
}

async function candidates(number: OwnNumber, code: string): Promise<readonly string[]> {
  if ("entryNumber" in number) return await entriesOfNumber(page.campaign, number.entryNumber);
  const entry = await entryOfReceipt(page.intake, page.campaign, number.receipt, code);
  return entry === null ? [] : [entry];
}

async function send(place: OwnPlace, answer: PlaceAnswer): Promise<void> {
  if (own === null || isBusy) return;
  isBusy = true;
  const result = await sendAnswer(own, place.class_id, answer);
  isBusy = false;
  if ("places" in result) tell(`withdraw.done.${answer}`, "state-open");
  else tell(`withdraw.error.${result.refusal}`);
  await refresh(result);
}

/** Show the places as they are now; a refusal may come from a change that this page has not seen. */
async function refresh(result: PlacesAnswer): Promise<void> {
  const now = "places" in result || own === null ? result : await ownResult(own);
  if ("places" in now) showResult(now, (place, answer) => void send(place, answer));
}

function showMistake(field: "number" | "code", text: string): void {
  const input = byId(field, HTMLInputElement);
  section(`${field}-error`).textContent = text;
  section(`field-${field}`).classList.toggle("wrong", text !== "");
  if (text === "") return input.removeAttribute("aria-invalid");
  tell("");
  input.setAttribute("aria-invalid", "true");
  input.focus();
}

/** Show a message above form and places; an empty key removes it. */
function tell(key: string, frame = key.includes(".error.") ? "state-late" : ""): void {
  const box = section("message");
  box.className = `state ${frame}`;
  box.textContent = key === "" ? "" : t(key);
  box.hidden = key === "";
  if (key !== "") box.scrollIntoView({ block: "nearest" });
}

/** Fill in the number of a link from the status page or the receipt. It stands behind `#`, so that no server sees it. */
function takeLinkedNumber(): void {
  const linked = decodeURIComponent(location.hash.slice(1));
  if (readNumber(linked) === null) return;
  byId("number", HTMLInputElement).value = linked;
  history.replaceState(null, "", location.pathname);
  byId("code", HTMLInputElement).focus();
}

section("program").hidden = false;
takeLinkedNumber();
section("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  void ask();
});
section("other").addEventListener("click", () => {
  own = null;
  section("places").replaceChildren();
  tell("");
  showOnly("ask", STEPS);
  byId("number", HTMLInputElement).focus();
});
