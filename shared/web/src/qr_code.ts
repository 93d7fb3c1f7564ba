/** QR codes (ISO/IEC 18004), model 2: bytes, error correction M, versions 1 to 25 (997 bytes). Pure. */

/** Codewords of error correction in a block, and number of blocks, by version; level M. */
const CORRECTION = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28];
const BLOCKS = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21];
const LARGEST = 25;
/** Bits of level M in the format information. */
const LEVEL_M = 0;

export interface QrCode {
  readonly version: number;
  readonly mask: number;
  /** Rows of modules; true is dark. Without the quiet zone. */
  readonly modules: readonly (readonly boolean[])[];
}

/** Return the smallest code of the bytes. Throws RangeError for more than 997 bytes. `mask`: 0 to 7, else the best. */
export function makeQrCode(bytes: Uint8Array, mask?: number | undefined): QrCode {
  const version = smallestVersion(bytes.length);
  const codewords = interleave(version, dataCodewords(version, bytes));
  const masks = mask === undefined ? [0, 1, 2, 3, 4, 5, 6, 7] : [mask];
  const codes = masks.map((candidate) => new Matrix(version).finish(codewords, candidate));
  return codes.reduce((best, code) => (penalty(code.modules) < penalty(best.modules) ? code : best));
}

function smallestVersion(length: number): number {
  for (let version = 1; version <= LARGEST; version++) {
    if (4 + countBits(version) + 8 * length <= 8 * capacity(version)) return version;
  }
  throw new RangeError("too long for a QR code");
}

function countBits(version: number): number {
  return version < 10 ? 8 : 16;
}

/** Return all codewords of a version: its modules without patterns, by 8. */
function allCodewords(version: number): number {
  const alignments = alignmentPositions(version).length;
  const modules = (16 * version + 128) * version + 64 - (version < 2 ? 0 : (25 * alignments - 10) * alignments - 55) - (version < 7 ? 0 : 36);
  return Math.floor(modules / 8);
}

function capacity(version: number): number {
  return allCodewords(version) - CORRECTION[version]! * BLOCKS[version]!;
}

function dataCodewords(version: number, bytes: Uint8Array): Uint8Array {
  const bits: number[] = [];
  const push = (value: number, length: number): void => {
    for (let at = length - 1; at >= 0; at--) bits.push((value >> at) & 1);
  };
  push(4, 4);
  push(bytes.length, countBits(version));
  for (const byte of bytes) push(byte, 8);
  push(0, Math.min(4, 8 * capacity(version) - bits.length));
  push(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < 8 * capacity(version); pad ^= 0xec ^ 0x11) push(pad, 8);
  return Uint8Array.from({ length: bits.length / 8 }, (_, at) => bits.slice(8 * at, 8 * at + 8).reduce((sum, bit) => 2 * sum + bit, 0));
}

/** Divide the data into blocks, add error correction to each, and take codewords from all blocks in turn. */
function interleave(version: number, data: Uint8Array): number[] {
  const [count, correction] = [BLOCKS[version]!, CORRECTION[version]!];
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const divisor = reedSolomonDivisor(correction);
  let start = 0;
  const blocks = Array.from({ length: count }, (_, at) => {
    const block = data.slice(start, (start += short + (at >= count - longer ? 1 : 0)));
    return { block, check: reedSolomonRemainder(block, divisor) };
  });
  const inTurn = (parts: readonly Uint8Array[], length: number): number[] =>
    Array.from({ length }, (_, at) => parts.flatMap((part) => (at < part.length ? [part[at]!] : []))).flat();
  return [...inTurn(blocks.map(({ block }) => block), short + 1), ...inTurn(blocks.map(({ check }) => check), correction)];
}

/** Multiply in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function multiply(one: number, other: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = ((product << 1) ^ ((product >> 7) * 0x11d)) ^ (((other >> bit) & 1) * one);
  return product;
}

function reedSolomonDivisor(degree: number): Uint8Array {
  const divisor = new Uint8Array(degree);
  divisor[degree - 1] = 1;
  for (let step = 0, root = 1; step < degree; step++, root = multiply(root, 2)) {
    for (let at = 0; at < degree; at++) divisor[at] = multiply(divisor[at]!, root) ^ (divisor[at + 1] ?? 0);
  }
  return divisor;
}

function reedSolomonRemainder(data: Uint8Array, divisor: Uint8Array): Uint8Array {
  const rest = new Uint8Array(divisor.length);
  for (const byte of data) {
    const factor = byte ^ rest[0]!;
    rest.copyWithin(0, 1);
    rest[rest.length - 1] = 0;
    divisor.forEach((coefficient, at) => (rest[at] = rest[at]! ^ multiply(coefficient, factor)));
  }
  return rest;
}

function alignmentPositions(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => version * 4 + 10 - (count - 2 - at) * step)];
}

const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** Modules of one code; null where no pattern and no data stand yet. */
class Matrix {
  private readonly size: number;
  private readonly cells: (boolean | null)[][];

  constructor(private readonly version: number) {
    this.size = 17 + 4 * version;
    this.cells = Array.from({ length: this.size }, () => Array<boolean | null>(this.size).fill(null));
  }

  finish(codewords: readonly number[], mask: number): QrCode {
    this.drawFinders();
    this.drawAlignments();
    this.drawTiming();
    this.drawFormat(mask);
    this.drawVersion();
    this.drawData(codewords, MASKS[mask]!);
    return { version: this.version, mask, modules: this.cells as boolean[][] };
  }

  private set(row: number, column: number, dark: boolean): void {
    if (row >= 0 && column >= 0 && row < this.size && column < this.size) this.cells[row]![column] = dark;
  }

  /** Draw squares around a centre: dark but for the rings at these distances. */
  private drawSquare(row: number, column: number, reach: number, light: readonly number[]): void {
    for (let down = -reach; down <= reach; down++) {
      for (let right = -reach; right <= reach; right++) {
        this.set(row + down, column + right, !light.includes(Math.max(Math.abs(down), Math.abs(right))));
      }
    }
  }

  private drawFinders(): void {
    const far = this.size - 4;
    for (const [row, column] of [[3, 3], [3, far], [far, 3]] as const) this.drawSquare(row, column, 4, [2, 4]);
  }

  private drawAlignments(): void {
    const positions = alignmentPositions(this.version);
    for (const row of positions) {
      for (const column of positions) if (this.cells[row]![column] === null) this.drawSquare(row, column, 2, [1]);
    }
  }

  private drawTiming(): void {
    for (let at = 8; at < this.size - 8; at++) {
      this.set(6, at, at % 2 === 0);
      this.set(at, 6, at % 2 === 0);
    }
  }

  private drawFormat(mask: number): void {
    const data = (LEVEL_M << 3) | mask;
    const bits = ((data << 10) | remainder(data, 10, 0x537)) ^ 0x5412;
    for (let at = 0; at < 15; at++) {
      const dark = ((bits >> at) & 1) === 1;
      this.set(at < 6 ? at : at < 8 ? at + 1 : this.size - 15 + at, 8, dark);
      this.set(8, at < 8 ? this.size - 1 - at : at === 8 ? 7 : 14 - at, dark);
    }
    this.set(this.size - 8, 8, true);
  }

  private drawVersion(): void {
    if (this.version < 7) return;
    const bits = (this.version << 12) | remainder(this.version, 12, 0x1f25);
    for (let at = 0; at < 18; at++) {
      const [far, near] = [this.size - 11 + (at % 3), Math.floor(at / 3)];
      const dark = ((bits >> at) & 1) === 1;
      this.set(near, far, dark);
      this.set(far, near, dark);
    }
  }

  /** Draw the data in columns of two from the right, upwards and downwards in turn. */
  private drawData(codewords: readonly number[], isMasked: (row: number, column: number) => boolean): void {
    let bit = 0;
    for (let right = this.size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const upwards = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step++) {
        const row = upwards ? this.size - 1 - step : step;
        for (const column of [right, right - 1]) {
          if (this.cells[row]![column] !== null) continue;
          const dark = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
          this.cells[row]![column] = dark !== isMasked(row, column);
          bit += 1;
        }
      }
    }
  }
}

/** Return the remainder of `value` shifted by `degree`, divided by a polynomial over GF(2). */
function remainder(value: number, degree: number, polynomial: number): number {
  let rest = value;
  for (let step = 0; step < degree; step++) rest = (rest << 1) ^ ((rest >> (degree - 1)) * polynomial);
  return rest;
}

/** Return how hard a code is to read: runs, squares, patterns like finders, and an uneven share of dark modules. */
function penalty(modules: readonly (readonly boolean[])[]): number {
  const text = (line: readonly boolean[]): string => line.map((dark) => (dark ? "1" : "0")).join("");
  const rows = modules.map(text);
  const columns = modules.map((_, at) => text(modules.map((row) => row[at]!)));
  const lines = [...rows, ...columns];
  const runs = lines.flatMap((line) => line.match(/0{5,}|1{5,}/gu) ?? []).reduce((sum, run) => sum + run.length - 2, 0);
  const finders = lines.reduce((sum, line) => sum + (line.match(/(?=10111010000|00001011101)/gu)?.length ?? 0), 0);
  const squares = rows.slice(1).reduce((sum, row, above) => sum + [...row].slice(1).filter((dark, left) =>
    dark === row[left] && dark === rows[above]![left] && dark === rows[above]![left + 1]).length, 0);
  const dark = rows.join("").replaceAll("0", "").length;
  return runs + 40 * finders + 3 * squares + 10 * Math.floor(Math.abs((20 * dark) / modules.length ** 2 - 10));
}
