/** How an application stands, in words: asked for again and again after sending, once on the status page. */

import { el } from "#shared/dom.ts";
import * as intake from "./intake.ts";
import { maybe, t } from "./page.ts";

const FIRST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 20_000;
const GIVE_UP_MS = 15 * 60_000;

export function shown(status: intake.Status): readonly HTMLElement[] {
  const reasons = status.reasons.map((code) => el("li", {}, maybe(`reason.${code}`) ?? t("reason.other")));
  const why = reasons.length === 0 ? [] : [el("p", {}, t("status.why")), el("ul", {}, ...reasons)];
  return [el("div", { class: `state status-${status.status}` }, el("p", {}, t(`status.${status.status}`)), ...why)];
}

/** Shows the state in `place` until it is decided; pauses grow, and a page that is left open stops asking. */
export async function follow(applicationId: string, place: HTMLElement): Promise<void> {
  const ends = Date.now() + GIVE_UP_MS;
  place.replaceChildren(el("p", {}, t("status.waiting")));
  let seen = "";
  for (let pause_ms = FIRST_PAUSE_MS; Date.now() < ends; pause_ms = Math.min(1.5 * pause_ms, LONGEST_PAUSE_MS)) {
    const status = await intake.status(`/v1/applications/${applicationId}`).catch(() => null);
    if (status !== null && seen !== JSON.stringify(status)) {
      seen = JSON.stringify(status);
      place.replaceChildren(...shown(status));
    }
    if (status !== null && (status.status === "accepted" || status.status === "rejected")) return;
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}
