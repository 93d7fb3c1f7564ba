/** Program of the dice page: two people type the digits independently, witnesses are named, then the digits are sent. */

import { byId, el, section, showOnly } from "#shared/dom.ts";
import { read, t } from "#shared/page.ts";
import { call } from "./calls.ts";
import { findDifference, groupInFives, findMistake, normaliseDigits, type Mistake } from "./digits.ts";
import { hashFile } from "./evidence.ts";
import type { DicePage } from "./page.ts";

const page = read<DicePage>();
const STEPS = ["first", "again", "people", "confirm", "done"] as const;
type Step = (typeof STEPS)[number];

/** Input so far. The first typing is kept here, where the second person does not see it. */
interface DiceInput {
  digits: string;
  again: string;
  witnesses: readonly string[];
  evidence: readonly string[];
}
const entered: DiceInput = { digits: "", again: "", witnesses: [], evidence: [] };

function go(step: Step): void {
  showOnly(step, STEPS);
  for (const name of STEPS) {
    document.getElementById(`step-${name}`)?.toggleAttribute("aria-current", name === step);
  }
  document.getElementById(`step-${step}`)?.setAttribute("aria-current", "step");
}

function mark(field: string, mistake: string): void {
  section(`${field}-error`).textContent = mistake;
  section(`field-${field}`).classList.toggle("wrong", mistake !== "");
  const input = section(field);
  if (mistake === "") input.removeAttribute("aria-invalid");
  else {
    input.setAttribute("aria-invalid", "true");
    input.focus();
  }
}

function describe(mistake: Mistake | null): string {
  if (mistake === null) return "";
  const filling = mistake.code === "count" ? { count: mistake.count, needed: page.digits } : mistake.code === "differ" ? { at: mistake.at } : {};
  return t(`dice.say.${mistake.code}`, filling);
}

/** Handle one typing: count and show the digits in groups; call `then` with digits that can be correct. */
function listenToTyping(field: "digits" | "digits_again", then: (digits: string) => void): void {
  const input = byId(field, HTMLTextAreaElement);
  input.addEventListener("input", () => {
    const digits = normaliseDigits(input.value);
    section(`${field}-count`).textContent = digits === "" ? "" : t("dice.say.typed", { digits: groupInFives(digits), count: digits.length, needed: page.digits });
  });
  section(`${field}-form`).addEventListener("submit", (event) => {
    event.preventDefault();
    const digits = normaliseDigits(input.value);
    const mistake = findMistake(digits, page.digits);
    mark(field, describe(mistake));
    if (mistake === null) then(digits);
  });
}

function clear(field: "digits" | "digits_again"): void {
  byId(field, HTMLTextAreaElement).value = "";
  section(`${field}-count`).textContent = "";
  mark(field, "");
}

function restart(): void {
  entered.digits = entered.again = "";
  clear("digits_again");
  clear("digits");
  section("refused").hidden = true;
  go("first");
}

function witnesses(): readonly string[] | null {
  const inputs = [...document.querySelectorAll<HTMLInputElement>(".witness")];
  const names = inputs.map((input) => input.value.normalize("NFKC").trim());
  const wrong = names.map((name, at) => (name === "" ? t("dice.say.nameless") : names.indexOf(name) < at ? t("dice.say.same") : ""));
  for (const [at, input] of [...inputs.entries()].reverse()) mark(input.id, wrong[at] ?? "");
  return wrong.every((mistake) => mistake === "") ? names : null;
}

async function takeEvidence(): Promise<void> {
  const files = [...(byId("evidence", HTMLInputElement).files ?? [])];
  const shown = section("evidence-hash");
  entered.evidence = [];
  try {
    const found: string[] = [];
    for (const file of files) {
      found.push(await hashFile(file, (share) => (shown.textContent = t("dice.say.hashing", { percent: Math.round(100 * share) }))));
    }
    entered.evidence = found;
    shown.replaceChildren(...found.map((hash) => el("p", {}, hash)));
  } catch {
    shown.textContent = t("dice.say.unreadable");
  }
}

function confirm(): void {
  const lines: readonly (readonly [string, string, string])[] = [
    [t("dice.say.digits"), groupInFives(entered.digits), "exact"],
    [t("dice.say.witnesses"), entered.witnesses.join(t("dice.say.and")), ""],
    [t("dice.say.evidence"), entered.evidence.join(" ") || t("dice.say.no-evidence"), "exact"],
    [t("dice.say.actor"), page.actor, ""],
  ];
  section("summary").replaceChildren(...lines.flatMap(([name, text, kind]) => [el("dt", {}, name), el("dd", { class: kind }, text)]));
  go("confirm");
}

async function send(): Promise<void> {
  const button = byId("send", HTMLButtonElement);
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  const body = { digits: entered.digits, digits_again: entered.again, witnesses: entered.witnesses, evidence: entered.evidence };
  const answer = await call(`/v1/campaigns/${page.campaign}/dice`, body);
  button.removeAttribute("aria-disabled");
  const refused = section("refused");
  refused.hidden = answer.ok;
  refused.textContent = answer.ok ? "" : answer.text;
  if (answer.ok) go("done");
}

listenToTyping("digits", (digits) => {
  entered.digits = digits;
  clear("digits");
  go("again");
  byId("digits_again", HTMLTextAreaElement).focus();
});
listenToTyping("digits_again", (digits) => {
  const mistake = findDifference(entered.digits, digits);
  mark("digits_again", describe(mistake));
  if (mistake !== null) return;
  entered.again = digits;
  go("people");
});
section("people-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const names = witnesses();
  if (names === null) return;
  entered.witnesses = names;
  confirm();
});
byId("evidence", HTMLInputElement).addEventListener("change", () => void takeEvidence());
for (const id of ["restart", "over"]) section(id).addEventListener("click", restart);
section("send").addEventListener("click", () => void send());
section("program").hidden = false;
go("first");
