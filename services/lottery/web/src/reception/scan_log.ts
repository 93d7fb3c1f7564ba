/** What this device knows: the roster and every scan it made or heard of. In memory; `database.ts` keeps it. */

import { judge, peopleIn, type Scan, type Verdict } from "./attendance.ts";
import type { EventClass, Line, Roster } from "./roster.ts";

/** A scan with what led to it. `shown`: the pass; else the receipt number. `said`: what this device answered. */
export interface Noted extends Scan {
  readonly placeId: string | null;
  readonly shown: string | null;
  readonly receipt: string | null;
  readonly sent: boolean;
  readonly said: string | null;
}

export interface Count {
  readonly of: EventClass;
  readonly seats: number;
  readonly people: number;
}

export class Book {
  private readonly scans = new Map<string, Noted>();
  private readonly byPlace = new Map<string, Map<string, Noted>>();

  constructor(public roster: Roster) {}

  /** Add or replace; what was heard from the office wins over what this device thought. */
  put(noted: Noted): void {
    this.scans.set(noted.id, noted);
    if (noted.placeId === null) return;
    const those = this.byPlace.get(noted.placeId) ?? new Map<string, Noted>();
    those.set(noted.id, noted);
    this.byPlace.set(noted.placeId, those);
  }

  get(id: string): Noted | undefined {
    return this.scans.get(id);
  }

  all(): Noted[] {
    return [...this.scans.values()];
  }

  unsent(): Noted[] {
    return this.all().filter((each) => !each.sent);
  }

  verdict(noted: Noted): Verdict {
    const nowhere = { opens: 0, ends: 0 };
    if (noted.placeId === null) return judge(null, nowhere, [noted]).get(noted.id) as Verdict;
    return this.ofPlace(noted.placeId).get(noted.id) as Verdict;
  }

  ofPlace(placeId: string): Map<string, Verdict> {
    const line = this.roster.lines.get(placeId);
    const classId = placeId.slice(placeId.indexOf("/") + 1);
    const window = this.ofClass(classId)?.window ?? { opens: 0, ends: 0 };
    return judge(line?.place ?? null, window, this.byPlace.get(placeId)?.values() ?? []);
  }

  inside(line: Line): number {
    return this.byPlace.has(line.placeId) ? peopleIn(this.ofPlace(line.placeId)) : 0;
  }

  ofClass(classId: string): EventClass | undefined {
    return this.roster.classes.find((each) => each.id === classId);
  }

  counts(): Count[] {
    const seats = new Map<string, number>();
    const people = new Map<string, number>();
    for (const line of this.roster.lines.values()) {
      if (line.place.state === "held") seats.set(line.classId, (seats.get(line.classId) ?? 0) + line.place.seats);
      people.set(line.classId, (people.get(line.classId) ?? 0) + this.inside(line));
    }
    return this.roster.classes.map((of) => ({ of, seats: seats.get(of.id) ?? 0, people: people.get(of.id) ?? 0 }));
  }

  /** This device's answers that turned out otherwise when others' scans came in. */
  changed(device: string): Noted[] {
    return this.all().filter(
      (each) => each.device === device && each.said === "admitted" && ["again", "more", "conflict", "gone"].includes(this.verdict(each).code),
    );
  }
}
