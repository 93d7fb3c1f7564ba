/** What a scan means: the same rules as services/lottery/reception/rules/attendance.py, so that a device can judge alone. */

export type Holding = "held" | "waiting" | "offered" | "gone";

export type Code =
  | "admitted" | "again" | "more" | "conflict" | "early" | "over" | "other-class" | "not-held" | "gone" | "unknown"
  | "forged" | "undone" | "undo";

/** Times are milliseconds since 1970. */
export interface Window {
  readonly opens: number;
  readonly ends: number;
}

export interface Place {
  readonly seats: number;
  readonly state: Holding;
  readonly goneAt: number | null;
  /** Null where the draw gave it. */
  readonly heldSince: number | null;
}

export interface Scan {
  readonly id: string;
  readonly device: string;
  readonly at: number;
  readonly classId: string;
  readonly people: number;
  readonly desk: string | null;
  readonly undoes: string | null;
  readonly fault: "forged" | "unknown" | null;
}

export interface Verdict {
  readonly code: Code;
  readonly counted: number;
  readonly first: string | null;
}

/** The verdict on every scan of one place; on the set of them, whatever their order and repetition. */
export function judge(place: Place | null, window: Window, scans: Iterable<Scan>): Map<string, Verdict> {
  const known = new Map([...scans].map((scan) => [scan.id, scan]));
  const takenBack = new Set([...known.values()].map((scan) => scan.undoes));
  const told = new Map<string, Verdict>();
  let inside = 0;
  let first: string | null = null;
  for (const scan of [...known.values()].sort(happened)) {
    const refused = refusal(place, window, scan, takenBack.has(scan.id));
    if (refused !== null || place === null) {
      told.set(scan.id, { code: refused ?? "unknown", counted: 0, first: null });
      continue;
    }
    const verdict = letIn(place, scan.people, inside, first);
    told.set(scan.id, verdict);
    first ??= scan.id;
    inside += verdict.counted;
  }
  return told;
}

export function peopleIn(verdicts: ReadonlyMap<string, Verdict>): number {
  return [...verdicts.values()].reduce((sum, each) => sum + each.counted, 0);
}

function happened(one: Scan, other: Scan): number {
  if (one.at !== other.at) return one.at - other.at;
  return one.id < other.id ? -1 : 1;
}

function refusal(place: Place | null, window: Window, scan: Scan, takenBack: boolean): Code | null {
  if (scan.undoes !== null) return "undo";
  if (takenBack) return "undone";
  if (scan.fault === "forged") return "forged";
  if (scan.fault !== null || place === null) return "unknown";
  if (place.state === "waiting" || place.state === "offered") return "not-held";
  if (place.heldSince !== null && scan.at < place.heldSince) return "not-held";
  if (place.state === "gone" && (place.goneAt === null || scan.at >= place.goneAt)) return "gone";
  if (scan.desk !== null && scan.desk !== scan.classId) return "other-class";
  if (scan.at < window.opens) return "early";
  return scan.at > window.ends ? "over" : null;
}

function letIn(place: Place, people: number, inside: number, first: string | null): Verdict {
  const left = place.seats - inside;
  if (left === 0) return { code: "again", counted: 0, first };
  if (people > left) return { code: "more", counted: left, first };
  return { code: place.state === "gone" ? "conflict" : "admitted", counted: people, first };
}
