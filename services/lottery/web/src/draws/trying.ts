/** The dry run's counts, as the server answered them; they are on this page only. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { look } from "./calls.ts";
import { page } from "./page.ts";

interface Tried {
  readonly entries: number;
  readonly without_place: number;
  readonly classes: readonly TriedClass[];
}

interface TriedClass {
  readonly id: string;
  readonly capacity: number;
  readonly asked: number;
  readonly won: number;
  readonly seats: number;
  readonly waiting: number;
}

const COLUMNS = ["capacity", "asked", "won", "seats", "waiting"] as const;

export async function tryDraw(): Promise<void> {
  const shown = section("tried");
  shown.replaceChildren(el("p", {}, t("call.sending")));
  const answer = await look(`/v1/campaigns/${page.campaign}/dry-run`);
  if (!answer.ok) {
    shown.replaceChildren(el("p", { class: "state state-late" }, answer.text));
    return;
  }
  const tried = answer.body as Tried;
  shown.replaceChildren(el("p", {}, t("draws.say.tried", { entries: tried.entries, without: tried.without_place })), table(tried));
}

function table(tried: Tried): HTMLElement {
  const names = new Map(page.classes);
  const head = ["class", ...COLUMNS].map((name) => el("th", { scope: "col" }, t(`draws.say.${name}`)));
  const lines = tried.classes.map((each) =>
    el("tr", {}, el("th", { scope: "row" }, names.get(each.id) ?? each.id), ...COLUMNS.map((name) => el("td", {}, each[name].toLocaleString()))),
  );
  const made = el("table", { class: "figures" }, el("caption", {}, t("draws.say.table")), el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...lines));
  return el("div", { class: "scroll", role: "region", "aria-label": t("draws.say.table"), tabindex: "0" }, made);
}
