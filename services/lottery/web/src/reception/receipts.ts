/** Receipt numbers as people say and type them (docs/protocols.md §0). */

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKS = `${ALPHABET}*~$=U`;

/** The number in its one spelling; null where the check character shows that it was misheard. */
export function receiptNumber(typed: string): string | null {
  const plain = typed.normalize("NFKC").toUpperCase().replace(/[-\s‐−ー]/gu, "")
    .replaceAll("O", "0").replace(/[IL]/gu, "1");
  const found = /^([WFP])([0-9A-HJKMNP-TV-Z]{8})([0-9A-HJKMNP-TV-Z])$/u.exec(plain);
  if (!found) return null;
  const [, letter = "", symbols = "", check = ""] = found;
  let rest = 0;
  for (const symbol of symbols) rest = (rest * 32 + ALPHABET.indexOf(symbol)) % 37;
  return CHECKS[rest] === check ? `${letter}-${symbols.slice(0, 4)}-${symbols.slice(4)}-${check}` : null;
}
