/** One device at one desk: readings become scans, are kept before they are answered, and go to the office. */

import type { Verdict } from "./attendance.ts";
import type { Book, Noted } from "./scan_log.ts";
import type { OfficeClock } from "./data.ts";
import type { Keeping, Kept } from "./database.ts";
import { passText, readPass } from "./passes.ts";
import { normaliseReceipt } from "#shared/receipts.ts";
import type { Line } from "./roster.ts";

/** What became of one reading: a scan with its verdict; several places to choose from; nothing that we know; or lost. */
export type Outcome =
  | { readonly kind: "noted"; readonly noted: Noted; readonly verdict: Verdict; readonly line: Line | undefined }
  | { readonly kind: "choice"; readonly lines: readonly Line[]; readonly receipt: string }
  | { readonly kind: "unreadable" | "unkept" };

/** How a place was found. */
interface Way {
  readonly shown: string | null;
  readonly receipt: string | null;
}

export class Desk {
  constructor(
    readonly campaign: string,
    readonly device: string,
    readonly book: Book,
    readonly kept: Kept,
    readonly keeping: Keeping,
    readonly clock: OfficeClock,
  ) {}

  /** The class that this desk serves; null for all. */
  get serves(): string | null {
    return this.kept.desk || null;
  }

  async read(typed: string): Promise<Outcome> {
    const pass = passText(typed);
    if (pass !== null) return await this.readPass(pass);
    const receipt = normaliseReceipt(typed);
    return receipt === null ? { kind: "unreadable" } : await this.readReceipt(receipt);
  }

  /** One of the places of a receipt number. */
  async choose(line: Line): Promise<Outcome> {
    return await this.note(line, line.classId, line.placeId, { shown: null, receipt: line.receipt }, null);
  }

  async undo(noted: Noted): Promise<Outcome> {
    return await this.keep({ ...this.blank(noted.classId, noted.placeId, noted, null), undoes: noted.id });
  }

  /** Fewer came than was noted at first. */
  async only(noted: Noted, people: number): Promise<Outcome> {
    await this.undo(noted);
    return await this.keep({ ...this.blank(noted.classId, noted.placeId, noted, null), people, at: this.clock.now() + 1 });
  }

  private async readPass(shown: string): Promise<Outcome> {
    const { roster } = this.book;
    const pass = readPass(roster.publicKey, this.campaign, shown);
    const way = { shown, receipt: null };
    const of = pass === null ? undefined : roster.classes.find((each) => each.number === pass.number);
    if (pass === null || of === undefined) return await this.note(undefined, this.anyClass(), null, way, "forged");
    const placeId = `${pass.entry}/${of.id}`;
    return await this.note(roster.lines.get(placeId), of.id, placeId, way, null);
  }

  private async readReceipt(receipt: string): Promise<Outcome> {
    const lines = this.book.roster.byReceipt.get(receipt) ?? [];
    const here = lines.filter((each) => each.classId === this.serves);
    const [only, ...others] = here.length > 0 ? here : lines;
    if (only === undefined) return await this.note(undefined, this.anyClass(), null, { shown: null, receipt }, "unknown");
    return others.length > 0 ? { kind: "choice", lines, receipt } : await this.choose(only);
  }

  private async note(line: Line | undefined, classId: string, placeId: string | null, way: Way, fault: Noted["fault"]): Promise<Outcome> {
    const people = line === undefined ? 1 : Math.max(1, line.place.seats - this.book.inside(line));
    return await this.keep({ ...this.blank(classId, placeId, way, fault), people });
  }

  private blank(classId: string, placeId: string | null, way: Way, fault: Noted["fault"]): Noted {
    return {
      id: newId(),
      device: this.device,
      at: this.clock.now(),
      classId,
      people: 1,
      desk: this.serves,
      undoes: null,
      fault,
      placeId,
      shown: way.shown,
      receipt: way.receipt,
      sent: false,
      said: null,
    };
  }

  /** On the disk first, then the answer. */
  private async keep(noted: Noted): Promise<Outcome> {
    this.book.put(noted);
    const verdict = this.book.verdict(noted);
    const said = { ...noted, said: verdict.code };
    this.book.put(said);
    await this.keeping.write(this.kept, [said]);
    const line = noted.placeId === null ? undefined : this.book.roster.lines.get(noted.placeId);
    return { kind: "noted", noted: said, verdict, line };
  }

  private anyClass(): string {
    return this.serves ?? this.book.roster.classes[0]?.id ?? "";
  }
}

/** UUID v4; `crypto.randomUUID` is missing in browsers of a few years ago. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
