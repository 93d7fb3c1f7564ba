/** Roster: the places of all entries by class, with receipt numbers and without names. */

import type { AdmissionWindow, Holding, Place } from "./attendance.ts";

/** Body of `GET /v1/campaigns/{campaign}/reception/roster`. */
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
  readonly window: AdmissionWindow;
}

export interface RosterLine {
  /** Entry in hex, a slash, class id. */
  readonly placeId: string;
  readonly receipt: string;
  readonly classId: string;
  readonly place: Place;
}

export interface Roster {
  readonly publicKey: string;
  readonly classes: readonly EventClass[];
  readonly lines: ReadonlyMap<string, RosterLine>;
  readonly byReceipt: ReadonlyMap<string, readonly RosterLine[]>;
}

/** Read a roster document. `lang` selects the class titles. */
export function readRoster(document: RosterDocument, lang: string): Roster {
  const classes = document.classes.map((eventClass) => ({
    id: eventClass.id,
    number: eventClass.number,
    title: lang === "ja" ? eventClass.title.ja : eventClass.title.en,
    window: { opens: Date.parse(eventClass.opens), ends: Date.parse(eventClass.ends) },
  }));
  const names = new Map(classes.map((eventClass) => [eventClass.number, eventClass.id]));
  const lines = new Map<string, RosterLine>();
  const byReceipt = new Map<string, RosterLine[]>();
  for (const [entry, receipt, number, seats, state, goneAt, heldSince] of document.places) {
    const classId = names.get(number) ?? "";
    const place = { seats, state, goneAt: parseTime(goneAt), heldSince: parseTime(heldSince) };
    const line = { placeId: `${entry}/${classId}`, receipt, classId, place };
    lines.set(line.placeId, line);
    byReceipt.set(receipt, [...(byReceipt.get(receipt) ?? []), line]);
  }
  return { publicKey: document.public_key, classes, lines, byReceipt };
}

function parseTime(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
