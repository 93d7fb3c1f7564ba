/** Who may take which class, and who needs a guardian (R-B1, R-D2): the vault's rules, told before sending. */

import type { EventClass, Grade } from "./campaign.ts";

/** R-D2: under this age in years a guardian is named. */
export const ADULT = 20;

/** A pupil by grade, or anybody else by age in years. */
export type Standing = { readonly grade: Grade } | { readonly age: number };

export function isMinor(standing: Standing): boolean {
  return "grade" in standing || standing.age < ADULT;
}

export function mayTake(standing: Standing, eventClass: EventClass): boolean {
  const { grades, min_age, max_age } = eventClass.eligibility;
  if ("grade" in standing) return grades.includes(standing.grade);
  return min_age !== null && min_age <= standing.age && (max_age === null || standing.age <= max_age);
}
