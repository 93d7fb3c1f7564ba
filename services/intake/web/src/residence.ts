/** Check whether an address is of the campaign's municipality (R-B2): the rule of services/vault/applications/rules/residency.py. */

import { display } from "./normalise.ts";
import type { Rules } from "./campaign.ts";

const PREFECTURE = /^(東京都|北海道|(?:京都|大阪)府|.{2,3}県)/u;
const COUNTY = /^[^\p{Nd}-]{1,4}郡(?=[^\p{Nd}-]{1,6}?[町村])/u;
const DESIGNATED_CITY = /^.+市(?=.+区$)/u;
const MUNICIPALITY = /^(?:[^\p{Nd}-]{1,4}郡[^\p{Nd}-]{1,6}?[町村]|[^\p{Nd}-]{1,6}?[市区])(?=.)/u;
const VARIANTS: ReadonlyMap<string, string> = new Map(["ヶケ", "ヵカ", "龍竜", "濱浜", "嶋島", "澤沢", "﨑崎"].map((pair) => [pair.charAt(0), pair.charAt(1)]));

export type Residence = "resident" | "elsewhere" | "contradiction" | "unknown";

/** `municipalities`: those of the postal code behind their prefecture; empty where the code is unknown or not looked up. */
export function residence(address: string, municipalities: readonly string[], rule: Rules["residency"]): Residence {
  const codes = municipalities.map(comparable);
  const byCode = codes.length > 0 ? codes.some((code) => isCovered(code, rule)) : null;
  const byAddress = namesHome(comparable(display(address)), codes, rule);
  if (byAddress !== null && byCode !== null && byAddress !== byCode) return "contradiction";
  const livesHere = byAddress ?? byCode;
  if (livesHere === null) return "unknown";
  return livesHere ? "resident" : "elsewhere";
}

/** A postal code's municipality is the rule's, with or without county, or a ward of its city. */
function isCovered(code: string, rule: Rules["residency"]): boolean {
  const [prefecture, municipality] = split(code);
  if (prefecture !== "" && prefecture !== rule.prefecture) return false;
  const city = DESIGNATED_CITY.exec(municipality)?.[0] ?? municipality;
  return [municipality, municipality.replace(COUNTY, ""), city].includes(comparable(rule.ward));
}

/** Whether the address names the rule's municipality; null if it leaves that to the postal code. */
function namesHome(address: string, codes: readonly string[], rule: Rules["residency"]): boolean | null {
  const [prefecture, local] = split(address);
  if (prefecture !== "" && prefecture !== rule.prefecture) return false;
  if (codes.some((code) => agrees(prefecture, local, code))) return null;
  const home = comparable(rule.ward);
  if (local.startsWith(home) || local.startsWith(home.replace(COUNTY, ""))) return true;
  if (local.replace(COUNTY, "").startsWith(home)) return true;
  return MUNICIPALITY.test(local) ? false : null;
}

/** The address begins with the code's municipality, with or without county or designated city. */
function agrees(prefecture: string, local: string, code: string): boolean {
  const [codePrefecture, municipality] = split(code);
  if (prefecture !== "" && codePrefecture !== "" && prefecture !== codePrefecture) return false;
  const names = [municipality, municipality.replace(COUNTY, ""), municipality.replace(DESIGNATED_CITY, "")];
  return names.some((name) => local.startsWith(name));
}

function split(text: string): readonly [prefecture: string, rest: string] {
  const prefecture = PREFECTURE.exec(text)?.[0] ?? "";
  return [prefecture, text.slice(prefecture.length)];
}

/** Without blanks and variant characters: 龍ヶ崎市 and 龍ケ崎市 are one municipality. */
function comparable(text: string): string {
  return [...text.replaceAll(" ", "")].map((character) => VARIANTS.get(character) ?? character).join("");
}
