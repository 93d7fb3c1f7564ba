/** Digits of dice as people type them. Pure. */

/** Full-width digits become plain ones; spaces, commas and line breaks between them go. Anything else stays, to be seen. */
export function plainDigits(typed: string): string {
  return typed.normalize("NFKC").replace(/[\s,、.-]/gu, "");
}

/** In fives, as they are read aloud. */
export function inFives(digits: string): string {
  return digits.match(/.{1,5}/gu)?.join(" ") ?? "";
}

export type Mistake = { readonly code: "not-digits" } | { readonly code: "count"; readonly count: number } | { readonly code: "differ"; readonly at: number };

/** What is wrong with one typing; null where nothing is. */
export function mistakeIn(digits: string, needed: number): Mistake | null {
  if (!/^[0-9]*$/u.test(digits)) return { code: "not-digits" };
  return digits.length === needed ? null : { code: "count", count: digits.length };
}

/** The first place (from 1) at which two typings differ; null where they agree. */
export function difference(one: string, other: string): Mistake | null {
  if (one === other) return null;
  const at = [...one].findIndex((digit, index) => digit !== other[index]);
  return { code: "differ", at: (at < 0 ? one.length : at) + 1 };
}
