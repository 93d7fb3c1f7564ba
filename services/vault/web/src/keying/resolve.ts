/** The third look: both keyings side by side where they differ, and keys that take the left or the right value. */

import { el, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { page, type Content, type FieldName, type Paper } from "./calls.ts";
import { difference, FIELDS, inWords, sheetsOf, type Sheet } from "./sheet.ts";

const titles: ReadonlyMap<string, string> = new Map(page.classes.map((each) => [each.id, each.title]));

/** Both keyings of a paper. `open` is null where they cannot be compared field by field. */
export class Resolution {
  readonly sides: readonly [readonly Sheet[], readonly Sheet[]];

  constructor(readonly paper: Paper) {
    const [left, right] = paper.versions;
    this.sides = [left === undefined ? [] : sheetsOf(left), right === undefined ? [] : sheetsOf(right)];
  }

  /** Fields of the application at `position` that this person decides; null for all. */
  openFields(position: number): ReadonlySet<FieldName> | null {
    const { open } = this.paper;
    return open === null ? null : new Set(open.filter(([at]) => at === position).map(([, field]) => field));
  }

  /** Sheets to begin with: what is agreed, and nothing in the open fields. */
  start(): Sheet[] {
    const sheets = sheetsOf(this.paper.versions[0] ?? { decision: "keyed", reason: null, applications: [], marks: [] });
    for (const [position, field] of this.paper.open ?? []) {
      const sheet = sheets[position];
      if (sheet === undefined) continue;
      delete sheet.marks[field];
      if (field === "choices") sheet.choices = [];
      else sheet.texts[field] = "";
    }
    return sheets;
  }

  /** Take one side's value of a field into the sheet; a mark goes with it. */
  take(side: 0 | 1, position: number, field: FieldName, sheet: Sheet): void {
    const taken = this.sides[side][position];
    if (taken === undefined) return;
    const mark = taken.marks[field];
    if (mark === undefined) delete sheet.marks[field];
    else sheet.marks[field] = mark;
    if (field === "choices") sheet.choices = [...taken.choices];
    else sheet.texts[field] = taken.texts[field];
  }

  /** Write both values above each open field, with what differs marked. */
  showBeside(position: number): void {
    for (const field of FIELDS) section(`both-${field}`).replaceChildren();
    const open = this.openFields(position);
    for (const field of open ?? FIELDS) {
      const [left, right] = this.sides.map((sheets) => this.#words(sheets[position], field)) as [string, string];
      if (open === null && left === right) continue;
      const [first, second] = difference(left, right);
      section(`both-${field}`).replaceChildren(side("F2", t("keying.left"), first), side("F4", t("keying.right"), second));
    }
    section("whole").replaceChildren(...(open === null ? this.paper.versions.map(describe) : []));
  }

  #words(sheet: Sheet | undefined, field: FieldName): string {
    if (sheet === undefined) return "";
    const mark = sheet.marks[field];
    return mark === undefined ? inWords(sheet, field, titles) : t(`keying.mark.${mark}`);
  }
}

export function clearBeside(): void {
  for (const field of FIELDS) section(`both-${field}`).replaceChildren();
  section("whole").replaceChildren();
}

function side(key: string, name: string, [before, differs, after]: readonly [string, string, string]): HTMLElement {
  const nothing = before + differs + after === "";
  const text = nothing ? [el("em", {}, t("keying.nothing"))] : [before, el("mark", {}, differs), after];
  return el("p", { class: "both" }, el("kbd", {}, key), ` ${name} `, el("span", { class: "value" }, ...text));
}

/** Say in one line what a keying is, where the two cannot be compared field by field. */
function describe(content: Content, index: number): HTMLElement {
  const what = content.decision === "keyed"
    ? t("keying.whole.applications", { count: content.applications.length })
    : t("keying.whole.discarded", { reason: t(`keying.discard.${content.reason ?? ""}`) });
  return el("p", { class: "both" }, el("kbd", {}, index === 0 ? "F2" : "F4"), ` ${t(index === 0 ? "keying.left" : "keying.right")} `, what);
}
