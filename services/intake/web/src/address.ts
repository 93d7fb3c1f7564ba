/**
 * Join the two address fields of the form, town and street, to one address.
 *
 * Pure. The border between the fields separates two words or numbers, even where the applicant typed no blank there:
 * 西新宿2 and 8-1 are two numbers and must not become 28-1. Cases: tests/cases/address_seams.json.
 */

import { display, displayAddress } from "./normalise.ts";

/** Characters that Japanese addresses use as digits, the formal ones (大字) included. */
const KANJI_NUMERALS = "〇零一二三四五六七八九十百千万壱弐参拾廿";
/** Letters and digits of a script that separates its words by blanks; Japanese scripts do not. */
const SPACED = "(?![\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}])[\\p{L}\\p{N}]";
const WORD = `(?:[${KANJI_NUMERALS}]|${SPACED})`;

const endsInWord = new RegExp(`(?:${WORD}\\p{M}*|[.,:;])$`, "u");
const beginsWithWord = new RegExp(`^${WORD}`, "u");

/** Return the address; with a blank at the border where the characters on both sides would merge without one. */
export function joinAddress(town: string, street: string): string {
  const [first, second] = [display(town), display(street)];
  return displayAddress(first + (wouldMerge(first, second) ? " " : "") + second);
}

/** NFKC, because the vault compares addresses in that form: ① and № then become a digit and letters. */
function wouldMerge(first: string, second: string): boolean {
  return endsInWord.test(first.normalize("NFKC")) && beginsWithWord.test(second.normalize("NFKC"));
}
