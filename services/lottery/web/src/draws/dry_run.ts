/** Counts of the dry run, shown on this page only. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { get } from "./calls.ts";
import { page } from "./page.ts";

interface DryRun {
  readonly entries: number;
  readonly without_place: number;
  readonly classes: readonly DryRunClass[];
}

interface DryRunClass {
  readonly id: string;
  readonly capacity: number;
  readonly asked: number;
  readonly won: number;
  readonly seats: number;
  readonly waiting: number;
}

const COLUMNS = ["capacity", "asked", "won", "seats", "waiting"] as const;

export async function runDryRun(): Promise<void> {
  const shown = section("tried");
  shown.replaceChildren(el("p", {}, t("call.sending")));
  const answer = await get(`/v1/campaigns/${page.campaign}/dry-run`);
  if (!answer.ok) {
    shown.replaceChildren(el("p", { class: "state state-late" }, answer.text));
    return;
  }
  const result = answer.body as DryRun;
  shown.replaceChildren(el("p", {}, t("draws.say.tried", { entries: result.entries, without: result.without_place })), table(result));
}

function table(result: DryRun): HTMLElement {
  const names = new Map(page.classes);
  const head = ["class", ...COLUMNS].map((name) => el("th", { scope: "col" }, t(`draws.say.${name}`)));
  const lines = result.classes.map((row) =>
    el("tr", {}, el("th", { scope: "row" }, names.get(row.id) ?? row.id), ...COLUMNS.map((name) => el("td", {}, row[name].toLocaleString()))),
  );
  const made = el("table", { class: "figures" }, el("caption", {}, t("draws.say.table")), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines));
  return el("div", { class: "scroll", role: "region", "aria-label": t("draws.say.table"), tabindex: "0" }, made);
}
