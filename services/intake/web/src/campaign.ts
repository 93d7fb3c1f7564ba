/** Type the public part of the campaign file (docs/protocols.md §1), which the page passes to the program. */

export const GRADES = ["p1", "p2", "p3", "p4", "p5", "p6", "j1", "j2", "j3"] as const;
export type Grade = (typeof GRADES)[number];

export interface Eligibility {
  readonly grades: readonly Grade[];
  readonly min_age: number | null;
  readonly max_age: number | null;
}

export interface EventClass {
  readonly id: string;
  readonly number: number;
  /** In the language of the page. */
  readonly title: string;
  readonly who: string;
  readonly when: string;
  /** RFC 3339. */
  readonly starts: string;
  readonly ends: string;
  readonly seats: readonly number[];
  readonly eligibility: Eligibility;
}

export interface Rules {
  readonly campaign: string;
  readonly purpose_version: string;
  readonly residency: { readonly prefecture: string; readonly ward: string };
  readonly preferences: boolean;
  /** Classes that one person can win at most. */
  readonly max_wins: number;
  readonly classes: readonly EventClass[];
}
