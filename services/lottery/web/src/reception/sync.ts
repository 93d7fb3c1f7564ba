/** Synchronisation with the server, every few seconds: own scans go out, scans of other devices come in. */

import { ApiError, fetchRoster, syncScans, type ScanDocument, type Trouble } from "./api.ts";
import type { ReceptionDevice } from "./device.ts";
import { readRoster } from "./roster.ts";
import type { StoredScan } from "./scan_log.ts";

const EVERY_MS = 3000;
const ROSTER_EVERY_MS = 60_000;
const SENT_AT_ONCE = 200;

/** `onResult` is called after each attempt, with null if it succeeded. */
export class Sync {
  private wake: () => void = () => undefined;
  private requested = false;
  private rosterAt = -Infinity;
  private ended = false;

  constructor(
    private readonly device: ReceptionDevice,
    private readonly lang: string,
    private readonly onResult: (trouble: Trouble | null) => void,
  ) {}

  /** Synchronise until `end` is called. */
  async run(): Promise<void> {
    while (!this.ended) {
      const trouble = await this.attempt();
      if (this.ended) return;
      this.onResult(trouble);
      if (!this.requested) await new Promise<void>((resolve) => { this.wake = resolve; setTimeout(resolve, EVERY_MS); });
      this.requested = false;
    }
  }

  end(): void {
    this.ended = true;
  }

  /** Synchronise as soon as possible: there is a scan to send, or the network came back. */
  request(): void {
    this.requested = true;
    this.wake();
  }

  /** Fetch the roster at the next attempt. */
  refreshRoster(): void {
    this.rosterAt = -Infinity;
    this.request();
  }

  private async attempt(): Promise<Trouble | null> {
    try {
      if (performance.now() - this.rosterAt > ROSTER_EVERY_MS) await this.renewRoster();
      while (await this.exchange());
      return null;
    } catch (error) {
      if (error instanceof ApiError) return error.trouble;
      console.error(error);
      return "refused";
    }
  }

  private async renewRoster(): Promise<void> {
    const { log, state, database, campaign } = this.device;
    const answer = await fetchRoster(campaign, state.tag);
    this.rosterAt = performance.now();
    if (answer === null) return;
    state.roster = answer.document;
    state.tag = answer.tag;
    log.roster = readRoster(answer.document, this.lang);
    await database.write(state, []);
  }

  /** Exchange one batch. Return true if there is more to send or to receive. */
  private async exchange(): Promise<boolean> {
    const { log, state, database, campaign, name, clock } = this.device;
    const unsent = log.unsent().slice(0, SENT_AT_ONCE);
    const response = await syncScans(campaign, name, state.cursor ?? 0, unsent);
    const received = response.scans.map((document) => this.readScan(document));
    for (const scan of received) log.put(scan);
    clock.synchronise(response.now);
    state.cursor = response.cursor;
    state.ahead = clock.ahead;
    await database.write(state, received);
    return response.more || (received.length > 0 && log.unsent().length > 0);
  }

  private readScan(document: ScanDocument): StoredScan {
    const own = this.device.log.get(document.id);
    return {
      id: document.id,
      device: document.device,
      at: Date.parse(document.at),
      classId: document.class_id,
      people: document.people,
      servedClass: document.desk,
      undoes: document.undoes,
      fault: document.fault,
      placeId: document.place,
      pass: own?.pass ?? null,
      entry: own?.entry ?? null,
      proof: own?.proof ?? null,
      receipt: own?.receipt ?? null,
      compared: own?.compared ?? false,
      sent: true,
      answered: own?.answered ?? null,
    };
  }
}
