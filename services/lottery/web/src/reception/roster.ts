/** The roster: who holds what, by entry and class, with receipt numbers and without a name. */

import type { Holding, Place, Window } from "./attendance.ts";

/** As `GET /v1/campaigns/{campaign}/reception/roster` has it. */
export interface RosterDocument {
  readonly v: 1;
  readonly campaign: string;
  readonly public_key: string;
  readonly classes: readonly ClassDocument[];
  readonly places: readonly (readonly [string, string, number, number, Holding, string | null, string | null])[];
}

interface ClassDocument {
  readonly id: string;
  readonly number: number;
  readonly title: { readonly ja: string; readonly en: string };
  readonly starts: string;
  readonly opens: string;
  readonly ends: string;
  readonly no_shows_at: string;
}

export interface EventClass {
  readonly id: string;
  readonly number: number;
  readonly title: string;
  readonly window: Window;
}

export interface Line {
  /** The entry in hex, a stroke, the class. */
  readonly placeId: string;
  readonly receipt: string;
  readonly classId: string;
  readonly place: Place;
}

export interface Roster {
  readonly publicKey: string;
  readonly classes: readonly EventClass[];
  readonly lines: ReadonlyMap<string, Line>;
  readonly byReceipt: ReadonlyMap<string, readonly Line[]>;
}

export function rosterOf(document: RosterDocument, lang: string): Roster {
  const classes = document.classes.map((each) => ({
    id: each.id,
    number: each.number,
    title: lang === "ja" ? each.title.ja : each.title.en,
    window: { opens: Date.parse(each.opens), ends: Date.parse(each.ends) },
  }));
  const names = new Map(classes.map((each) => [each.number, each.id]));
  const lines = new Map<string, Line>();
  const byReceipt = new Map<string, Line[]>();
  for (const [entry, receipt, number, seats, state, goneAt, heldSince] of document.places) {
    const classId = names.get(number) ?? "";
    const place = { seats, state, goneAt: moment(goneAt), heldSince: moment(heldSince) };
    const line = { placeId: `${entry}/${classId}`, receipt, classId, place };
    lines.set(line.placeId, line);
    byReceipt.set(receipt, [...(byReceipt.get(receipt) ?? []), line]);
  }
  return { publicKey: document.public_key, classes, lines, byReceipt };
}

function moment(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
