/** Program of the ceremony's page: keeps it current, counts down, and counts the digits while they are typed. */

import { section } from "#shared/dom.ts";
import { keepLive } from "#shared/live.ts";
import { now, read, t, type Frame } from "#shared/page.ts";
import { groupInFives, normaliseDigits } from "./digits.ts";

interface DicePage extends Frame {
  readonly digits: number;
}

const page = read<DicePage>();
const SECOND_MS = 1_000;

/** Show the time that is left, and the form while the signed-in witness may use it. */
function tick(): void {
  const until = document.getElementById("until")?.getAttribute("datetime");
  const shown = section("countdown");
  const left_s = until == null ? -1 : Math.floor((Date.parse(until) - now().getTime()) / SECOND_MS);
  shown.hidden = left_s < 0;
  if (left_s >= 0) shown.textContent = t(`dice.say.${document.getElementById("may-enter") === null ? "round" : "left"}`, clock(left_s));
  const entry = document.getElementById("entry");
  if (entry !== null) entry.hidden = document.getElementById("may-enter") === null;
}

function clock(left_s: number): Record<string, string> {
  return { minutes: String(Math.floor(left_s / 60)), seconds: String(left_s % 60).padStart(2, "0") };
}

function countDigits(): void {
  const input = document.getElementById("digits");
  if (!(input instanceof HTMLInputElement)) return;
  const show = (): void => {
    const digits = normaliseDigits(input.value);
    section("digits-count").textContent = digits === "" ? "" : t("dice.say.typed", { digits: groupInFives(digits), count: digits.length, needed: page.digits });
  };
  input.addEventListener("input", show);
  show();
}

countDigits();
tick();
window.setInterval(tick, SECOND_MS);
keepLive();
