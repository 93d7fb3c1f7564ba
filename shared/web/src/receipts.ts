/** Read receipt numbers as people type and dictate them (docs/protocols.md §0); the same cases as shared/receipts.py. */

import { normaliseNumber } from "./crockford.ts";

/** Channel letters: web, fax, post. */
const LETTERS = "WFP";

/** Return the number in its printed form; null where the form or the check symbol is wrong. */
export function normaliseReceipt(typed: string): string | null {
  return normaliseNumber(LETTERS, typed);
}
