/** Typed digits of dice. Pure. */

/** Turn full-width digits into plain ones and remove separators. Other characters stay, so that they are noticed. */
export function normaliseDigits(typed: string): string {
  return typed.normalize("NFKC").replace(/[\s,、.-]/gu, "");
}

/** Group digits in fives, as they are read aloud. */
export function groupInFives(digits: string): string {
  return digits.match(/.{1,5}/gu)?.join(" ") ?? "";
}

export type Mistake = { readonly code: "not-digits" } | { readonly code: "count"; readonly count: number } | { readonly code: "differ"; readonly at: number };

/** Return the mistake in typed digits; null if there is none. */
export function findMistake(digits: string, needed: number): Mistake | null {
  if (!/^[0-9]*$/u.test(digits)) return { code: "not-digits" };
  return digits.length === needed ? null : { code: "count", count: digits.length };
}

/** Return the first position (from 1) at which two typings differ; null if they agree. */
export function findDifference(one: string, other: string): Mistake | null {
  if (one === other) return null;
  const at = [...one].findIndex((digit, index) => digit !== other[index]);
  return { code: "differ", at: (at < 0 ? one.length : at) + 1 };
}
