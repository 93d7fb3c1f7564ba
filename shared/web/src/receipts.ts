/** Read receipt numbers as people type and dictate them (docs/protocols.md §0); the same cases as shared/receipts.py. */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKS = `${ALPHABET}*~$=U`;

/** Blanks and everything that a keyboard or a copied text puts in the place of a hyphen, after NFKC. */
const SEPARATORS = /[\s\u001c-\u001f\u0085\u200b\u002d\u00ad\u058a\u2010-\u2015\u2043\u2212\u2500\u2501\u30fc\u3161]/gu;

/** Return the number in its printed form; null where the form or the check character is wrong. */
export function normaliseReceipt(typed: string): string | null {
  const plain = typed.normalize("NFKC").replace(SEPARATORS, "").toUpperCase()
    .replaceAll("O", "0").replace(/[IL]/gu, "1");
  const found = /^([WFP])([0-9A-HJKMNP-TV-Z]{8})([0-9A-HJKMNP-TV-Z])$/u.exec(plain);
  if (!found) return null;
  const [, letter = "", symbols = "", check = ""] = found;
  let rest = 0;
  for (const symbol of symbols) rest = (rest * 32 + ALPHABET.indexOf(symbol)) % 37;
  return CHECKS[rest] === check ? `${letter}-${symbols.slice(0, 4)}-${symbols.slice(4)}-${check}` : null;
}
