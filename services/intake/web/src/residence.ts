/** Whether somebody lives in the ward (R-B2): the vault's rule (services/vault/applications/rules/residency.py), told before sending. */

import { display } from "./normalise.ts";
import type { Rules } from "./campaign.ts";

const PREFECTURE = /^(東京都|北海道|(?:京都|大阪)府|.{2,3}県)/u;
const MUNICIPALITY = /^(?:[^\p{Nd}-]{1,4}郡[^\p{Nd}-]{1,6}?[町村]|[^\p{Nd}-]{1,6}?[市区])(?=.)/u;

export type Residence = "resident" | "elsewhere" | "contradiction";

/** `municipalities`: those of the postal code; empty where the code is unknown or could not be looked up. */
export function residence(address: string, municipalities: readonly string[], rule: Rules["residency"]): Residence {
  const byAddress = namesWard(display(address).replaceAll(" ", ""), rule);
  const byCode = municipalities.length > 0 ? municipalities.includes(rule.ward) : null;
  if (byAddress !== null && byCode !== null && byAddress !== byCode) return "contradiction";
  return (byAddress ?? byCode) ? "resident" : "elsewhere";
}

function namesWard(address: string, rule: Rules["residency"]): boolean | null {
  const prefecture = PREFECTURE.exec(address)?.[0];
  if (prefecture !== undefined && prefecture !== rule.prefecture) return false;
  const rest = address.slice(prefecture?.length ?? 0);
  if (rest.startsWith(rule.ward)) return true;
  return MUNICIPALITY.test(rest) ? false : null;
}
