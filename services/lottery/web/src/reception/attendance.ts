/** Meaning of a scan: the same rules as services/lottery/reception/rules/attendance.py, so that a device can judge alone. */

export type Holding = "held" | "waiting" | "offered" | "gone";

export type Code =
  | "admitted" | "again" | "more" | "conflict" | "early" | "over" | "other-class" | "not-held" | "gone" | "unknown"
  | "wrong-code" | "compare" | "forged" | "undone" | "undo";

/** Defect of a reading, found before its place was looked up; `unproved`: a bare receipt number. */
export type Fault = "forged" | "unknown" | "wrong-code" | "unproved";

/** When a class admits people. Times are milliseconds since 1970. */
export interface AdmissionWindow {
  readonly opens: number;
  readonly ends: number;
}

export interface Place {
  readonly seats: number;
  readonly state: Holding;
  readonly goneAt: number | null;
  /** Null if the draw gave the place. */
  readonly heldSince: number | null;
}

export interface Scan {
  readonly id: string;
  readonly device: string;
  readonly at: number;
  readonly classId: string;
  readonly people: number;
  /** Class that the device served; null for all classes. */
  readonly servedClass: string | null;
  /** Id of the scan that this one takes back. */
  readonly undoes: string | null;
  readonly fault: Fault | null;
}

export interface Verdict {
  readonly code: Code;
  readonly counted: number;
  /** Id of the scan that admitted people of the place first. */
  readonly first: string | null;
}

/** Return the verdict on every scan of one place, by scan id. It depends on the set of scans, not on order or repetition. */
export function judge(place: Place | null, window: AdmissionWindow, scans: Iterable<Scan>): Map<string, Verdict> {
  const known = new Map([...scans].map((scan) => [scan.id, scan]));
  const undone = new Set([...known.values()].map((scan) => scan.undoes));
  const verdicts = new Map<string, Verdict>();
  let inside = 0;
  let first: string | null = null;
  for (const scan of [...known.values()].sort(byTime)) {
    const refused = refusal(place, window, scan, undone.has(scan.id));
    if (refused !== null || place === null) {
      verdicts.set(scan.id, { code: refused ?? "unknown", counted: 0, first: null });
      continue;
    }
    const verdict = admit(place, scan.people, inside, first);
    verdicts.set(scan.id, verdict);
    first ??= scan.id;
    inside += verdict.counted;
  }
  return verdicts;
}

export function countPeople(verdicts: ReadonlyMap<string, Verdict>): number {
  return [...verdicts.values()].reduce((sum, verdict) => sum + verdict.counted, 0);
}

function byTime(one: Scan, other: Scan): number {
  if (one.at !== other.at) return one.at - other.at;
  return one.id < other.id ? -1 : 1;
}

/** Return the first reason that refuses the scan; null if it may admit people. */
function refusal(place: Place | null, window: AdmissionWindow, scan: Scan, isUndone: boolean): Code | null {
  if (scan.undoes !== null) return "undo";
  if (isUndone) return "undone";
  if (scan.fault === "forged") return "forged";
  if (scan.fault === "unknown" || place === null) return "unknown";
  if (scan.fault === "wrong-code") return "wrong-code";
  if (scan.fault === "unproved") return "compare";
  if (place.state === "waiting" || place.state === "offered") return "not-held";
  if (place.heldSince !== null && scan.at < place.heldSince) return "not-held";
  if (place.state === "gone" && (place.goneAt === null || scan.at >= place.goneAt)) return "gone";
  if (scan.servedClass !== null && scan.servedClass !== scan.classId) return "other-class";
  if (scan.at < window.opens) return "early";
  return scan.at > window.ends ? "over" : null;
}

function admit(place: Place, people: number, inside: number, first: string | null): Verdict {
  const left = place.seats - inside;
  if (left === 0) return { code: "again", counted: 0, first };
  if (people > left) return { code: "more", counted: left, first };
  return { code: place.state === "gone" ? "conflict" : "admitted", counted: people, first };
}
