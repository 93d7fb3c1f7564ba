/** A reception device: turns readings into scans and stores each scan before it is answered. */

import { entryPrefix, lotteryProof, normaliseEntryNumber, parseCode, proofDigest } from "#shared/codes.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import type { Fault, Verdict } from "./attendance.ts";
import type { DeviceDatabase, DeviceState } from "./database.ts";
import type { ServerClock } from "./page_data.ts";
import { passText, readPass } from "./passes.ts";
import type { RosterLine } from "./roster.ts";
import { NO_EVIDENCE, type Evidence, type ScanLog, type StoredScan } from "./scan_log.ts";

/**
 * Result of one reading: a scan with its verdict; several places of one entry to choose from, with the evidence for
 * them; a text that is nothing to read, an entry number without its code, or one that no entry has; a failed write.
 */
export type ReadResult =
  | { readonly kind: "noted"; readonly scan: StoredScan; readonly verdict: Verdict; readonly line: RosterLine | undefined }
  | { readonly kind: "choice"; readonly lines: readonly RosterLine[]; readonly reading: Reading }
  | { readonly kind: "unreadable" | "code-missing" | "unlisted" | "unkept" };

/** Evidence of a reading, and its defect. */
export interface Reading {
  readonly evidence: Evidence;
  readonly fault: Fault | null;
}

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

  /** Read a scanned or typed text: a pass, or a receipt number or entry number with a typed code (may be empty). */
  async read(typed: string, typedCode = ""): Promise<ReadResult> {
    const pass = passText(typed);
    if (pass !== null) return await this.readPass(pass);
    const [receipt, number] = [normaliseReceipt(typed), normaliseEntryNumber(typed)];
    const code = typedCode.trim() === "" ? null : parseCode(typedCode);
    if ((receipt === null && number === null) || (code === null && typedCode.trim() !== "")) return { kind: "unreadable" };
    if (receipt !== null && code === null) return await this.readReceipt(receipt);
    if (code === null) return { kind: "code-missing" };
    const { byReceipt, byNumber } = this.log.roster;
    const lines = receipt === null ? byNumber.get(entryPrefix(number ?? "")) : byReceipt.get(receipt);
    return lines === undefined ? { kind: "unlisted" } : await this.readCode(lines, code);
  }

  /** Record the place that staff chose among those of one entry. */
  async choose(line: RosterLine, { evidence, fault }: Reading): Promise<ReadResult> {
    return await this.record(line, line.classId, line.placeId, evidence, fault);
  }

  /** Record the place of a bare receipt number, after a handler compared the name with an identity paper. */
  async compared(line: RosterLine): Promise<ReadResult> {
    return await this.choose(line, { evidence: { ...NO_EVIDENCE, receipt: line.receipt, compared: true }, fault: null });
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
    const pass = readPass(roster.publicKeys, this.campaign, text);
    const evidence = { ...NO_EVIDENCE, pass: text };
    const eventClass = pass === null ? undefined : roster.classes.find((candidate) => candidate.number === pass.number);
    if (pass === null || eventClass === undefined) return await this.record(undefined, this.anyClass(), null, evidence, "forged");
    const placeId = `${pass.entry}/${eventClass.id}`;
    return await this.record(roster.lines.get(placeId), eventClass.id, placeId, evidence, null);
  }

  /** Read a bare receipt number. It admits nobody: the name must be compared, or the code be told. */
  private async readReceipt(receipt: string): Promise<ReadResult> {
    const lines = this.log.roster.byReceipt.get(receipt);
    const evidence = { ...NO_EVIDENCE, receipt };
    if (lines === undefined) return await this.record(undefined, this.anyClass(), null, evidence, "unknown");
    return await this.readLines(lines, { evidence, fault: "unproved" });
  }

  /** Read a code for entries of one number; the roster's digest tells which entry the code belongs to. */
  private async readCode(lines: readonly RosterLine[], code: string): Promise<ReadResult> {
    const proofOf = ({ entry }: RosterLine): string => lotteryProof(this.campaign, entry, code);
    const proved = lines.find((line) => line.proofDigest !== null && proofDigest(proofOf(line)) === line.proofDigest);
    const named = proved ?? lines[0]!;
    const fault = proved === undefined ? "wrong-code" : null;
    const reading = { evidence: { ...NO_EVIDENCE, entry: named.entry, proof: proofOf(named) }, fault } as const;
    return await this.readLines(lines.filter(({ entry }) => entry === named.entry), reading);
  }

  /** Record the only place of one entry, or the one of the class that the device serves; else let staff choose. */
  private async readLines(lines: readonly RosterLine[], reading: Reading): Promise<ReadResult> {
    const ofServedClass = lines.filter((line) => line.classId === this.servedClass);
    const [only, ...others] = ofServedClass.length > 0 ? ofServedClass : lines;
    return only === undefined || others.length > 0 ? { kind: "choice", lines, reading } : await this.choose(only, reading);
  }

  /** Record that all people of the place who are not in yet have come. */
  private async record(line: RosterLine | undefined, classId: string, placeId: string | null, evidence: Evidence, fault: Fault | null): Promise<ReadResult> {
    const people = line === undefined ? 1 : Math.max(1, line.place.seats - this.log.inside(line));
    return await this.store({ ...this.blank(classId, placeId, evidence, fault), people });
  }

  private blank(classId: string, placeId: string | null, { pass, entry, proof, receipt, compared }: Evidence, fault: Fault | null): StoredScan {
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
      pass,
      entry,
      proof,
      receipt,
      compared,
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
