/** Crockford base32 as people type and dictate it; the same rules as shared/crockford.py. */

export const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECK_SYMBOLS = `${ALPHABET}*~$=U`;

/** Blanks and everything that a keyboard or a copied text puts in the place of a hyphen, after NFKC. */
const SEPARATORS = /[\s\u001c-\u001f\u0085\u200b\u002d\u00ad\u058a\u2010-\u2015\u2043\u2212\u2500\u2501\u30fc\u3161]/gu;

/** Return typed text as upper-case symbols: NFKC, no blanks or hyphens, `O` as 0, `I` and `L` as 1. */
export function normalise(typed: string): string {
  return typed.normalize("NFKC").replace(SEPARATORS, "").toUpperCase().replaceAll("O", "0").replace(/[IL]/gu, "1");
}

/** Return the bytes as symbols of 5 bits, most significant bit first. The number of bits must be a multiple of 5. */
export function encode(bytes: Uint8Array): string {
  let [text, bits, value] = ["", 0, 0];
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((value >> (bits - 5)) & 31);
  }
  return text;
}

/** Return the bytes of upper-case symbols; the opposite of `encode`. */
export function decode(symbols: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((symbols.length * 5) / 8));
  let [at, bits, value] = [0, 0, 0];
  for (const symbol of symbols) {
    value = ((value << 5) | ALPHABET.indexOf(symbol)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (value >> bits) & 0xff;
  }
  return bytes;
}

/** Return the check symbol of `symbols`: their number modulo 37. The last five symbols are hard to read out. */
export function checkSymbol(symbols: string): string {
  let rest = 0;
  for (const symbol of symbols) rest = (rest * 32 + ALPHABET.indexOf(symbol)) % 37;
  return CHECK_SYMBOLS.charAt(rest);
}

/** Return a typed number, `X-7K3M-9Q2P-6`, in its printed form; null where letter, form or check symbol is wrong. */
export function normaliseNumber(letters: string, typed: string): string | null {
  const [letter = "", ...rest] = normalise(typed);
  const [symbols, check] = [rest.slice(0, -1).join(""), rest.at(-1) ?? ""];
  const wellFormed = letters.includes(letter) && /^[0-9A-HJKMNP-TV-Z]{8}$/u.test(symbols) && ALPHABET.includes(check);
  return letter !== "" && wellFormed && checkSymbol(symbols) === check ? formatNumber(letter, symbols, check) : null;
}

export function formatNumber(letter: string, symbols: string, check: string): string {
  return `${letter}-${symbols.slice(0, 4)}-${symbols.slice(4)}-${check}`;
}
