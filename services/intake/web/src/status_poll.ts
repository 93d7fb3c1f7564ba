/** Describe the status of an application, and poll it after sending. */

import { el } from "#shared/dom.ts";
import * as intake from "./intake_client.ts";
import { maybe, t } from "./page.ts";

const FIRST_PAUSE_MS = 1_500;
const LONGEST_PAUSE_MS = 20_000;
const GIVE_UP_MS = 15 * 60_000;
const DECIDED: readonly intake.Status["status"][] = ["complete", "rejected", "withdrawn", "drawn"];

/** Return the elements that describe a status. */
export function describeStatus(status: intake.Status): readonly HTMLElement[] {
  const reasons = status.reasons.map((code) => el("li", {}, maybe(`reason.${code}`) ?? t("reason.other")));
  const why = reasons.length === 0 ? [] : [el("p", {}, t("status.why")), el("ul", {}, ...reasons)];
  return [el("div", { class: `state status-${status.status}` }, el("p", {}, t(`status.${status.status}`)), ...why)];
}

/** Show the status in `place` until it is decided or not wanted. Pauses grow, and polling ends after 15 minutes. */
export async function pollStatus(applicationId: string, place: HTMLElement, isWanted: () => boolean): Promise<void> {
  const ends = Date.now() + GIVE_UP_MS;
  place.replaceChildren(el("p", {}, t("status.waiting")));
  let seen = "";
  for (let pause_ms = FIRST_PAUSE_MS; Date.now() < ends; pause_ms = Math.min(1.5 * pause_ms, LONGEST_PAUSE_MS)) {
    const status = await intake.status(`/v1/applications/${applicationId}`).catch(() => null);
    if (!isWanted()) return;
    if (status !== null && seen !== JSON.stringify(status)) {
      seen = JSON.stringify(status);
      place.replaceChildren(...describeStatus(status));
    }
    if (status !== null && DECIDED.includes(status.status)) return;
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}
