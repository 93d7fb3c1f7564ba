/** Typed digits of dice. Pure. */

/** Turn full-width digits into plain ones and remove separators. Other characters stay, so that they are noticed. */
export function normaliseDigits(typed: string): string {
  return typed.normalize("NFKC").replace(/[\s,、.-]/gu, "");
}

/** Group digits in fives, as they are read aloud. */
export function groupInFives(digits: string): string {
  return digits.match(/.{1,5}/gu)?.join(" ") ?? "";
}
