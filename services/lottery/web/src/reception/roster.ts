/** Roster: the places of all entries by class, with receipt numbers and without names. */

import type { AdmissionWindow, Holding, Place } from "./attendance.ts";

/** Body of `GET /v1/campaigns/{campaign}/reception/roster`. */
export interface RosterDocument {
  readonly v: 3;
  readonly campaign: string;
  /** The lottery's keys that are not revoked; one of them signed each pass. */
  readonly public_keys: readonly string[];
  readonly classes: readonly ClassDocument[];
  readonly places: readonly (readonly [string, string, number, number, Holding, string | null, string | null, string | null])[];
}

/** Roster of before the rotation of keys, which a device that was offline since may still have. */
export interface EarlierRosterDocument extends Omit<RosterDocument, "v" | "public_keys"> {
  readonly v: 2;
  readonly public_key: string;
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
  readonly entry: string;
  /** SHA-256 of the proof for the lottery, in hex; null if the lottery does not know it. */
  readonly proofDigest: string | null;
  readonly receipt: string;
  readonly classId: string;
  readonly place: Place;
}

export interface Roster {
  readonly publicKeys: readonly string[];
  readonly classes: readonly EventClass[];
  readonly lines: ReadonlyMap<string, RosterLine>;
  readonly byReceipt: ReadonlyMap<string, readonly RosterLine[]>;
  /** By the first 10 hex digits of the entry, which an entry number shows. Two entries may share them. */
  readonly byNumber: ReadonlyMap<string, readonly RosterLine[]>;
}

/** Hex digits of an entry that its entry number shows. */
const NUMBER_DIGITS = 10;

/** Read a roster document, also an earlier one that the device kept. `lang` selects the class titles. */
export function readRoster(document: RosterDocument | EarlierRosterDocument, lang: string): Roster {
  const classes = document.classes.map((eventClass) => ({
    id: eventClass.id,
    number: eventClass.number,
    title: lang === "ja" ? eventClass.title.ja : eventClass.title.en,
    window: { opens: Date.parse(eventClass.opens), ends: Date.parse(eventClass.ends) },
  }));
  const names = new Map(classes.map((eventClass) => [eventClass.number, eventClass.id]));
  const lines = new Map<string, RosterLine>();
  const byReceipt = new Map<string, RosterLine[]>();
  const byNumber = new Map<string, RosterLine[]>();
  for (const [entry, receipt, number, seats, state, goneAt, heldSince, proofDigest] of document.places) {
    const classId = names.get(number) ?? "";
    const place = { seats, state, goneAt: parseTime(goneAt), heldSince: parseTime(heldSince) };
    const line = { placeId: `${entry}/${classId}`, entry, proofDigest, receipt, classId, place };
    lines.set(line.placeId, line);
    add(byReceipt, receipt, line);
    add(byNumber, entry.slice(0, NUMBER_DIGITS), line);
  }
  const publicKeys = document.v === 2 ? [document.public_key] : document.public_keys;
  return { publicKeys, classes, lines, byReceipt, byNumber };
}

function add(lines: Map<string, RosterLine[]>, name: string, line: RosterLine): void {
  lines.set(name, [...(lines.get(name) ?? []), line]);
}

function parseTime(text: string | null): number | null {
  return text === null ? null : Date.parse(text);
}
