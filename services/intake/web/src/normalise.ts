/**
 * One form for what people type in many, before it is checked and sealed.
 *
 * The vault applies the same rules again (services/vault/applications/rules/normalise.py); both are run against
 * tests/cases/normalising.json. Nothing here guesses: width, spaces and hyphens only, never a character of a name.
 */

const HYPHENS = "-‐‑‒–—―−－ｰー─━";
/** Unicode White_Space and the separators U+001C–U+001F, as the vault's language has it. */
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

const hyphen = `[${HYPHENS.replace("-", "\\-")}]`;
const spaces = new RegExp(`[${SPACE}]+`, "gu");
const ends = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "gu");
const controlSpaces = /[\t-\r\x1c-\x1f\x85]+/gu;
const wideForms = /[\uff01-\uffee\u3000\u00a0]+/gu;
const betweenNumbers = new RegExp(`([0-9A-Za-z])[${SPACE}]*${hyphen}[${SPACE}]*(?=[0-9A-Za-z])`, "gu");
const phoneFillers = new RegExp(`[${SPACE}()\\[\\]./・${HYPHENS.replace("-", "\\-")}]+`, "gu");
const postalFillers = new RegExp(`[${SPACE}〒${HYPHENS.replace("-", "\\-")}]+`, "gu");
/** Controls, direction marks, lone surrogates: pasted along, seen by nobody, refused by the vault. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

/** Width made even (kana full, Latin and digits half), spaces single, ends trimmed, what is invisible left out. */
export function display(text: string): string {
  const even = text.replace(wideForms, (run) => run.normalize("NFKC"));
  return even.replace(spaces, " ").replace(invisible, "").replace(ends, "");
}

/** As `display`, with every hyphen between numbers the plain one. */
export function displayAddress(text: string): string {
  return display(text).replace(betweenNumbers, "$1-");
}

/** National form without what people put between the digits: +81 3 … and (03) … become 03…. */
export function phone(text: string): string {
  const plain = visible(text).normalize("NFKC").replace(phoneFillers, "");
  return plain.startsWith("+81") ? "0" + plain.slice("+81".length).replace(/^0+/u, "") : plain;
}

/** Without 〒, hyphen and spaces; seven digits where it is a postal code. */
export function postalCode(text: string): string {
  return visible(text).normalize("NFKC").replace(postalFillers, "");
}

/** Width and space only: the local part belongs to its owner (RFC 5321 §2.4); the domain is lower case. */
export function email(text: string): string {
  const plain = visible(text).normalize("NFKC").replace(ends, "");
  const at = plain.lastIndexOf("@");
  return plain.slice(0, at + 1) + plain.slice(at + 1).toLowerCase();
}

/** Years of age as people type them; NaN where it is no whole number. */
export function age(text: string): number {
  const plain = display(text).normalize("NFKC").replace(/(歳|才)$/u, "").replace(ends, "");
  return /^[0-9]{1,3}$/u.test(plain) ? Number(plain) : NaN;
}

/** Without what is invisible. A control that is a space becomes one; every other space stays, as in the vault. */
function visible(text: string): string {
  return text.replace(controlSpaces, " ").replace(invisible, "");
}
