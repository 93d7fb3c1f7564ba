/** Sets of classes that entries hold. Few sets arise, so an entry takes four bytes: the number of its set. */

export class HeldSets {
  private readonly sets: (readonly number[])[] = [[]];
  private readonly barred: ReadonlySet<number>[] = [new Set()];
  private readonly next = new Map<string, number>();
  private readonly of: Uint32Array;

  /** `barring[c]`: classes that an entry cannot take once it holds class c. */
  constructor(entries: number, private readonly barring: readonly ReadonlySet<number>[]) {
    this.of = new Uint32Array(entries);
  }

  /** Return the classes that the entry at this position holds. */
  heldBy(entry: number): readonly number[] {
    return this.sets[this.of[entry]!]!;
  }

  holds(entry: number, number: number): boolean {
    return this.heldBy(entry).includes(number);
  }

  /** Return true if the class overlaps in time with one that the entry holds. */
  clashes(entry: number, number: number): boolean {
    return this.barred[this.of[entry]!]!.has(number);
  }

  take(entry: number, number: number): void {
    const before = this.of[entry]!;
    const step = `${before} ${number}`;
    this.of[entry] = this.next.get(step) ?? this.add(step, before, number);
  }

  private add(step: string, before: number, number: number): number {
    this.sets.push([...this.sets[before]!, number]);
    this.barred.push(new Set([...this.barred[before]!, ...this.barring[number]!]));
    this.next.set(step, this.sets.length - 1);
    return this.sets.length - 1;
  }
}
