/** Apply the vault's rules of eligibility before sending: classes by age or grade, and guardians (R-B1, R-D2). */

import type { EventClass, Grade } from "./campaign.ts";

/** R-D2: applicants under this age in years name a guardian. */
export const ADULT = 20;

/** Grade of a pupil, or age in years of any other person. */
export type AgeOrGrade = { readonly grade: Grade } | { readonly age: number };

export function isMinor(ageOrGrade: AgeOrGrade): boolean {
  return "grade" in ageOrGrade || ageOrGrade.age < ADULT;
}

export function mayTake(ageOrGrade: AgeOrGrade, eventClass: EventClass): boolean {
  const { grades, min_age, max_age } = eventClass.eligibility;
  if ("grade" in ageOrGrade) return grades.includes(ageOrGrade.grade);
  return min_age !== null && min_age <= ageOrGrade.age && (max_age === null || ageOrGrade.age <= max_age);
}
