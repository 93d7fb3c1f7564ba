/**
 * Bring typed text to one form before it is checked and sealed.
 *
 * The vault applies the same rules again (services/vault/applications/rules/normalise.py); both are run against
 * tests/cases/normalising.json. It changes width, spaces, hyphens and radicals only, never a character of a name.
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
/** Controls, direction marks, lone surrogates: they come with pasted text, are invisible, and the vault refuses them. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}]/gu;

const radicals = new Map(zip("⺄⺒⺓⺟⺠⺩⺫⺬⺼⺽⻁⻄⻆⻊⻑⻓⻗⻘⻝⻞⻤⻨⻩⻫⻭⻯⻱⻲⻳", "乙巳幺母民王罒示月臼虎西角足長長雨青食食鬼麦黄斉歯竜龜亀亀"));
/** Radicals that text copied out of a PDF has in place of characters; NFKC knows those of Kangxi (U+2F00) only. */
const radical = /[\u2e80-\u2fd5]/gu;

/** Return the text with even width (kana full, Latin and digits half), single spaces, and no invisible characters. */
export function display(text: string): string {
  const even = text.replace(wideForms, (run) => run.normalize("NFKC")).replace(radical, characterOf);
  return even.replace(spaces, " ").replace(invisible, "").replace(ends, "");
}

/** Return `display` of the text, with a plain hyphen between numbers. */
export function displayAddress(text: string): string {
  return display(text).replace(betweenNumbers, "$1-");
}

/** Return the national form without fillers: +81 3 … and (03) … become 03…, an extension follows behind `#` (内線12: #12). */
export function phone(text: string): string {
  const plain = visible(text).normalize("NFKC").replace(phoneFillers, "");
  const national = plain.startsWith("+81") ? "0" + plain.slice("+81".length).replace(/^0+/u, "") : plain;
  return national.replace(/(?:#|内線番号|内線|内|ext|x):?([0-9]{1,6})$/iu, "#$1");
}

/** Return the text without 〒, hyphens and spaces; seven digits if it is a postal code. */
export function postalCode(text: string): string {
  return visible(text).normalize("NFKC").replace(postalFillers, "");
}

/** Return the address with even width and a lower-case domain; the local part keeps its case (RFC 5321 §2.4). */
export function email(text: string): string {
  const plain = visible(text).normalize("NFKC").replace(ends, "");
  const at = plain.lastIndexOf("@");
  return plain.slice(0, at + 1) + plain.slice(at + 1).toLowerCase();
}

/** Return the typed age in years; NaN if it is no whole number. */
export function age(text: string): number {
  const plain = display(text).normalize("NFKC").replace(/(歳|才)$/u, "").replace(ends, "");
  return /^[0-9]{1,3}$/u.test(plain) ? Number(plain) : NaN;
}

/** Return the text without invisible characters. Control spaces become blanks; other spaces stay, as in the vault. */
function visible(text: string): string {
  return text.replace(controlSpaces, " ").replace(invisible, "");
}

/** Return the character that a radical stands for; the radicals supplement has some that stand for none. */
function characterOf(one: string): string {
  return one >= "\u2f00" ? one.normalize("NFKC") : (radicals.get(one) ?? one);
}

function zip(from: string, to: string): [string, string][] {
  const wanted = [...to];
  return [...from].map((one, at) => [one, wanted[at] ?? one]);
}
