/** Warn of chosen classes that one person cannot win together; nothing is forbidden. */

import type { Choice } from "./application.ts";
import type { EventClass } from "./campaign.ts";
import { findConflicts } from "./choice_conflicts.ts";
import { el, section } from "#shared/dom.ts";
import { page, t } from "./page.ts";

/** Show the warnings of these choices in the element with this id, which is a live region; hide it if there are none. */
export function showConflicts(id: string, choices: readonly Choice[]): void {
  const { overlapping, tooMany } = findConflicts(choices, page.rules);
  const figures = { count: choices.length, max_wins: page.rules.max_wins };
  const lines = [
    ...overlapping.map(([one, other]) => t("form.conflict.overlap", { one: name(one), other: name(other) })),
    ...(tooMany ? [t("form.conflict.max-wins", figures)] : []),
  ];
  section(id).replaceChildren(...(lines.length === 0 ? [] : [el("div", { class: "state state-early" }, ...lines.map((text) => el("p", {}, text)))]));
}

function name({ number, title }: EventClass): string {
  return `${number} ${title}`;
}
