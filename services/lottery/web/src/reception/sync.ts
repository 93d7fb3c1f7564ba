/** Meeting the office again and again: what we noted goes there, what the others noted comes here. */

import type { Noted } from "./scan_log.ts";
import type { Desk } from "./desk.ts";
import { meet, NoAnswer, roster, type HeardScan, type Trouble } from "./office.ts";
import { rosterOf } from "./roster.ts";

const EVERY_MS = 3000;
const ROSTER_EVERY_MS = 60_000;
const SENT_AT_ONCE = 200;

/** `met`: how it went; null where all is well. */
export class Meeting {
  private wake: () => void = () => undefined;
  private poked = false;
  private rosterAt = -Infinity;
  private ended = false;

  constructor(
    private readonly desk: Desk,
    private readonly actor: string,
    private readonly lang: string,
    private readonly met: (trouble: Trouble | null) => void,
  ) {}

  /** Until `end`. */
  async run(): Promise<void> {
    while (!this.ended) {
      const trouble = await this.once();
      if (this.ended) return;
      this.met(trouble);
      if (!this.poked) await new Promise<void>((resolve) => { this.wake = resolve; setTimeout(resolve, EVERY_MS); });
      this.poked = false;
    }
  }

  end(): void {
    this.ended = true;
  }

  /** There is something to send. */
  poke(): void {
    this.poked = true;
    this.wake();
  }

  /** The roster is asked for again at the next meeting. */
  refresh(): void {
    this.rosterAt = -Infinity;
    this.poke();
  }

  private async once(): Promise<Trouble | null> {
    try {
      if (performance.now() - this.rosterAt > ROSTER_EVERY_MS) await this.renewRoster();
      while (await this.exchange());
      return null;
    } catch (error) {
      if (error instanceof NoAnswer) return error.trouble;
      console.error(error);
      return "refused";
    }
  }

  private async renewRoster(): Promise<void> {
    const { book, kept, keeping, campaign } = this.desk;
    const answer = await roster(campaign, kept.tag);
    this.rosterAt = performance.now();
    if (answer === null) return;
    kept.roster = answer.document;
    kept.tag = answer.tag;
    book.roster = rosterOf(answer.document, this.lang);
    await keeping.write(kept, []);
  }

  /** Whether there is more to say or to hear. */
  private async exchange(): Promise<boolean> {
    const { book, kept, keeping, campaign, device, clock } = this.desk;
    const unsent = book.unsent().slice(0, SENT_AT_ONCE);
    const heard = await meet(campaign, device, this.actor, kept.cursor ?? 0, unsent);
    const noted = heard.scans.map((each) => this.noted(each));
    for (const each of noted) book.put(each);
    clock.hear(heard.now);
    kept.cursor = heard.cursor;
    kept.ahead = clock.ahead;
    await keeping.write(kept, noted);
    return heard.more || (noted.length > 0 && book.unsent().length > 0);
  }

  private noted(heard: HeardScan): Noted {
    const own = this.desk.book.get(heard.id);
    return {
      id: heard.id,
      device: heard.device,
      at: Date.parse(heard.at),
      classId: heard.class_id,
      people: heard.people,
      desk: heard.desk,
      undoes: heard.undoes,
      fault: heard.fault,
      placeId: heard.place,
      shown: own?.shown ?? null,
      receipt: own?.receipt ?? null,
      sent: true,
      said: own?.said ?? null,
    };
  }
}
