/** Scan log: the roster, and every scan that the device made or received. In memory; `database.ts` stores it. */

import { countPeople, judge, type Scan, type Verdict } from "./attendance.ts";
import type { EventClass, Roster, RosterLine } from "./roster.ts";

/** Evidence of a reading: a pass, an entry with its proof, or a receipt number; `compared`: a handler compared the name. */
export interface Evidence {
  readonly pass: string | null;
  readonly entry: string | null;
  readonly proof: string | null;
  readonly receipt: string | null;
  readonly compared: boolean;
}

export const NO_EVIDENCE: Evidence = { pass: null, entry: null, proof: null, receipt: null, compared: false };

/** A scan and its evidence. `answered`: the code that the device showed. */
export interface StoredScan extends Scan, Evidence {
  readonly placeId: string | null;
  readonly sent: boolean;
  readonly answered: string | null;
}

export interface Count {
  readonly eventClass: EventClass;
  readonly seats: number;
  readonly people: number;
}

const NO_WINDOW = { opens: 0, ends: 0 };

export class ScanLog {
  private readonly scans = new Map<string, StoredScan>();
  private readonly byPlace = new Map<string, Map<string, StoredScan>>();

  constructor(public roster: Roster) {}

  /** Add or replace a scan. The server's version replaces the device's own. */
  put(scan: StoredScan): void {
    this.scans.set(scan.id, scan);
    if (scan.placeId === null) return;
    const ofPlace = this.byPlace.get(scan.placeId) ?? new Map<string, StoredScan>();
    ofPlace.set(scan.id, scan);
    this.byPlace.set(scan.placeId, ofPlace);
  }

  get(id: string): StoredScan | undefined {
    return this.scans.get(id);
  }

  all(): StoredScan[] {
    return [...this.scans.values()];
  }

  unsent(): StoredScan[] {
    return this.all().filter((scan) => !scan.sent);
  }

  verdict(scan: StoredScan): Verdict {
    if (scan.placeId === null) return judge(null, NO_WINDOW, [scan]).get(scan.id) as Verdict;
    return this.verdictsOfPlace(scan.placeId).get(scan.id) as Verdict;
  }

  verdictsOfPlace(placeId: string): Map<string, Verdict> {
    const line = this.roster.lines.get(placeId);
    const classId = placeId.slice(placeId.indexOf("/") + 1);
    const window = this.findClass(classId)?.window ?? NO_WINDOW;
    return judge(line?.place ?? null, window, this.byPlace.get(placeId)?.values() ?? []);
  }

  /** Count the people of a place who are in. */
  inside(line: RosterLine): number {
    return this.byPlace.has(line.placeId) ? countPeople(this.verdictsOfPlace(line.placeId)) : 0;
  }

  findClass(classId: string): EventClass | undefined {
    return this.roster.classes.find((eventClass) => eventClass.id === classId);
  }

  /** Count seats and people in, for each class. */
  counts(): Count[] {
    const seats = new Map<string, number>();
    const people = new Map<string, number>();
    for (const line of this.roster.lines.values()) {
      if (line.place.state === "held") seats.set(line.classId, (seats.get(line.classId) ?? 0) + line.place.seats);
      people.set(line.classId, (people.get(line.classId) ?? 0) + this.inside(line));
    }
    return this.roster.classes.map((eventClass) => ({
      eventClass,
      seats: seats.get(eventClass.id) ?? 0,
      people: people.get(eventClass.id) ?? 0,
    }));
  }

  /** Return this device's admissions whose verdict changed when other devices' scans arrived. */
  changed(device: string): StoredScan[] {
    return this.all().filter(
      (scan) => scan.device === device && scan.answered === "admitted" && ["again", "more", "conflict", "gone"].includes(this.verdict(scan).code),
    );
  }
}
