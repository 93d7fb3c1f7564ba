/** Read the published rows, one line an entry, as they arrive: no text of the whole list is kept. */

import { utf8 } from "#shared/encoding.ts";
import { InvalidRecordError } from "./canonical.ts";
import { EntryList, type Choices } from "./entry_list.ts";
import { LineTree } from "./merkle.ts";

/** Rows as one text, or in pieces of bytes. */
export type RowsSource = string | AsyncIterable<Uint8Array>;

export interface RowsRead {
  readonly entries: EntryList;
  /** Merkle root of the rows, in hex. */
  readonly root: string;
}

const ID_BYTES = 16;
const ID_DIGITS = 32;
const LINE_FEED = 10;
const BLANK = 32;
const CHOICES = /^(?:[a-z0-9-]+:[1-9][0-9]*)(?:,[a-z0-9-]+:[1-9][0-9]*)*$/u;
/** Value of each lower-case hex digit by its code; 255 for all other codes. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, code) => (code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : 255));

/** Read all rows. Throws InvalidRecordError for another form, a wrong order, or a class that a row names twice. */
export async function readRows(source: RowsSource): Promise<RowsRead> {
  const [reader, tree] = [new RowReader(), new LineTree()];
  const take = (bytes: Uint8Array): void => {
    tree.push(bytes);
    reader.push(bytes);
  };
  if (typeof source === "string") take(utf8(source));
  else for await (const bytes of source) take(bytes);
  return { entries: reader.finish(), root: tree.root() };
}

/** Read one row without its line feed: the choices of a correction. Throws InvalidRecordError. */
export function readRow(row: string): EntryList {
  const reader = new RowReader();
  reader.push(utf8(`${row}\n`));
  return reader.finish();
}

class RowReader {
  private ids = new Uint8Array(ID_BYTES * 1024);
  private lists = new Uint32Array(1024);
  private count = 0;
  private readonly table: Choices[] = [];
  private readonly listOf = new Map<string, number>();
  private readonly decoder = new TextDecoder("latin1");
  private rest: Uint8Array = new Uint8Array();

  push(bytes: Uint8Array): void {
    let start = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, start)) {
      const line = bytes.subarray(start, at);
      this.take(this.rest.length === 0 ? line : concatenate(this.rest, line));
      this.rest = new Uint8Array();
      start = at + 1;
    }
    if (start < bytes.length) this.rest = concatenate(this.rest, bytes.subarray(start));
  }

  finish(): EntryList {
    if (this.rest.length > 0) throw new InvalidRecordError("rows: the last line has no line feed");
    return new EntryList(this.ids.slice(0, this.count * ID_BYTES), this.lists.slice(0, this.count), this.table);
  }

  private take(line: Uint8Array): void {
    if (this.count === this.lists.length) this.grow();
    const number = this.count + 1;
    if (line[ID_DIGITS] !== BLANK || !this.takeId(line)) throw new InvalidRecordError(`rows: line ${number} does not have the form of a row`);
    if (this.count > 0 && !this.rises()) throw new InvalidRecordError(`rows: line ${number} is out of order`);
    const wanted = this.decoder.decode(line.subarray(ID_DIGITS + 1));
    this.lists[this.count] = this.listOf.get(wanted) ?? this.addList(wanted, number);
    this.count = number;
  }

  /** Write the id of the line behind the others; return false if it is not hex. */
  private takeId(line: Uint8Array): boolean {
    let seen = 0;
    for (let at = 0; at < ID_BYTES; at++) {
      const [high, low] = [DIGITS[line[2 * at]!]!, DIGITS[line[2 * at + 1]!]!];
      seen |= high | low;
      this.ids[this.count * ID_BYTES + at] = (high << 4) | low;
    }
    return seen < 16;
  }

  /** Return true if the id written last is above the one before. */
  private rises(): boolean {
    const start = this.count * ID_BYTES;
    for (let at = start; at < start + ID_BYTES; at++) {
      const [before, now] = [this.ids[at - ID_BYTES]!, this.ids[at]!];
      if (before !== now) return before < now;
    }
    return false;
  }

  private addList(wanted: string, line: number): number {
    if (!CHOICES.test(wanted)) throw new InvalidRecordError(`rows: line ${line} does not have the form of a row`);
    const choices = wanted.split(",").map((choice) => {
      const [name = "", seats = ""] = choice.split(":");
      return [name, Number(seats)] as const;
    });
    if (new Set(choices.map(([name]) => name)).size !== choices.length) throw new InvalidRecordError(`rows: line ${line} asks for a class twice`);
    this.listOf.set(wanted, this.table.length);
    return this.table.push(choices) - 1;
  }

  private grow(): void {
    const [ids, lists] = [new Uint8Array(2 * this.ids.length), new Uint32Array(2 * this.lists.length)];
    ids.set(this.ids);
    lists.set(this.lists);
    [this.ids, this.lists] = [ids, lists];
  }
}

function concatenate(one: Uint8Array, other: Uint8Array): Uint8Array {
  const whole = new Uint8Array(one.length + other.length);
  whole.set(one);
  whole.set(other, one.length);
  return whole;
}
