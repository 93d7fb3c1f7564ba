/** A reception device: turns readings into scans and stores each scan before it is answered. */

import { normaliseReceipt } from "#shared/receipts.ts";
import type { Verdict } from "./attendance.ts";
import type { DeviceDatabase, DeviceState } from "./database.ts";
import type { ServerClock } from "./page_data.ts";
import { passText, readPass } from "./passes.ts";
import type { RosterLine } from "./roster.ts";
import type { ScanLog, StoredScan } from "./scan_log.ts";

/** Result of one reading: a scan with its verdict, several places to choose from, an unreadable code, or a failed write. */
export type ReadResult =
  | { readonly kind: "noted"; readonly scan: StoredScan; readonly verdict: Verdict; readonly line: RosterLine | undefined }
  | { readonly kind: "choice"; readonly lines: readonly RosterLine[]; readonly receipt: string }
  | { readonly kind: "unreadable" | "unkept" };

/** The pass or the receipt number by which a place was found. */
interface ReadingSource {
  readonly pass: string | null;
  readonly receipt: string | null;
}

type Fault = StoredScan["fault"];

export class ReceptionDevice {
  constructor(
    readonly campaign: string,
    readonly name: string,
    readonly log: ScanLog,
    readonly state: DeviceState,
    readonly database: DeviceDatabase,
    readonly clock: ServerClock,
  ) {}

  /** Class that the device serves; null for all classes. */
  get servedClass(): string | null {
    return this.state.servedClass || null;
  }

  /** Read a scanned or typed text: a pass or a receipt number. */
  async read(typed: string): Promise<ReadResult> {
    const pass = passText(typed);
    if (pass !== null) return await this.readPass(pass);
    const receipt = normaliseReceipt(typed);
    return receipt === null ? { kind: "unreadable" } : await this.readReceipt(receipt);
  }

  /** Record the place that staff chose among those of a receipt number. */
  async choose(line: RosterLine): Promise<ReadResult> {
    return await this.record(line, line.classId, line.placeId, { pass: null, receipt: line.receipt }, null);
  }

  async undo(scan: StoredScan): Promise<ReadResult> {
    return await this.store({ ...this.blank(scan.classId, scan.placeId, scan, null), undoes: scan.id });
  }

  /** Correct a scan to a smaller number of people: undo it, and record another one millisecond later. */
  async correct(scan: StoredScan, people: number): Promise<ReadResult> {
    await this.undo(scan);
    return await this.store({ ...this.blank(scan.classId, scan.placeId, scan, null), people, at: this.clock.now() + 1 });
  }

  private async readPass(text: string): Promise<ReadResult> {
    const { roster } = this.log;
    const pass = readPass(roster.publicKey, this.campaign, text);
    const source = { pass: text, receipt: null };
    const eventClass = pass === null ? undefined : roster.classes.find((candidate) => candidate.number === pass.number);
    if (pass === null || eventClass === undefined) return await this.record(undefined, this.anyClass(), null, source, "forged");
    const placeId = `${pass.entry}/${eventClass.id}`;
    return await this.record(roster.lines.get(placeId), eventClass.id, placeId, source, null);
  }

  private async readReceipt(receipt: string): Promise<ReadResult> {
    const lines = this.log.roster.byReceipt.get(receipt) ?? [];
    const ofServedClass = lines.filter((line) => line.classId === this.servedClass);
    const [only, ...others] = ofServedClass.length > 0 ? ofServedClass : lines;
    if (only === undefined) return await this.record(undefined, this.anyClass(), null, { pass: null, receipt }, "unknown");
    return others.length > 0 ? { kind: "choice", lines, receipt } : await this.choose(only);
  }

  /** Record that all people of the place who are not in yet have come. */
  private async record(line: RosterLine | undefined, classId: string, placeId: string | null, source: ReadingSource, fault: Fault): Promise<ReadResult> {
    const people = line === undefined ? 1 : Math.max(1, line.place.seats - this.log.inside(line));
    return await this.store({ ...this.blank(classId, placeId, source, fault), people });
  }

  private blank(classId: string, placeId: string | null, source: ReadingSource, fault: Fault): StoredScan {
    return {
      id: newId(),
      device: this.name,
      at: this.clock.now(),
      classId,
      people: 1,
      servedClass: this.servedClass,
      undoes: null,
      fault,
      placeId,
      pass: source.pass,
      receipt: source.receipt,
      sent: false,
      answered: null,
    };
  }

  /** Write the scan to the disk and then return the answer: staff must not see an answer that could get lost. */
  private async store(scan: StoredScan): Promise<ReadResult> {
    this.log.put(scan);
    const verdict = this.log.verdict(scan);
    const answered = { ...scan, answered: verdict.code };
    this.log.put(answered);
    await this.database.write(this.state, [answered]);
    const line = scan.placeId === null ? undefined : this.log.roster.lines.get(scan.placeId);
    return { kind: "noted", scan: answered, verdict, line };
  }

  private anyClass(): string {
    return this.servedClass ?? this.log.roster.classes[0]?.id ?? "";
  }
}

/** Return a random UUID v4. Browsers of a few years ago have no `crypto.randomUUID`. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
