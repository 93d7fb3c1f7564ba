/**
 * Suggest the mail domain that an applicant probably meant: gmail.com for gmial.com.
 *
 * Pure, with a short list and no network. A suggestion is a hint and never a refusal: the domain may exist.
 * Cases: tests/cases/mail_domains.json.
 */

/** Domains that people in Japan use most; of two equally near domains the first is suggested. */
const COMMON: readonly string[] = [
  "gmail.com", "yahoo.co.jp", "icloud.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp", "au.com", "i.softbank.jp",
  "outlook.jp", "outlook.com", "hotmail.co.jp", "hotmail.com", "live.jp", "live.com", "yahoo.com", "yahoo.ne.jp",
  "ymail.ne.jp", "ymobile.ne.jp", "uqmobile.jp", "rakuten.jp", "vodafone.ne.jp", "disney.ne.jp", "willcom.com", "me.com",
  "mac.com", "aol.com", "aol.jp", "googlemail.com", "msn.com", "nifty.com", "ocn.ne.jp", "biglobe.ne.jp", "so-net.ne.jp",
  "plala.or.jp", "dion.ne.jp", "jcom.home.ne.jp", "asahi-net.or.jp", "excite.co.jp", "infoseek.jp", "proton.me",
];
/** Domains in use that are one or two letters away from a common one. */
const ALSO_IN_USE: readonly string[] = [
  "mail.com", "email.com", "ymail.com", "cloud.com", "softbank.co.jp",
  "outlook.fr", "outlook.de", "outlook.es", "outlook.it", "outlook.kr",
];
/** Services that give addresses below one domain only. */
const ONE_DOMAIN: ReadonlyMap<string, string> = new Map(
  ["gmail.com", "icloud.com", "docomo.ne.jp", "ezweb.ne.jp"].map((domain) => [label(domain), domain]),
);
/** Names shorter than this are near too many others; then only the rest of the domain may differ. */
const SHORTEST_NAME = 5;

/** Return the domain to suggest for `domain` (lower case), or null. */
export function suggestDomain(domain: string): string | null {
  if (domain === "" || isKnown(domain)) return null;
  const only = ONE_DOMAIN.get(label(domain));
  if (only !== undefined) return only;
  const distances = COMMON.map((common) => ({ common, edits: edits(domain, common) }));
  const near = distances.filter(({ common, edits }) => isNear(domain, common, edits));
  return near.reduce<(typeof near)[number] | null>((best, each) => (best && best.edits <= each.edits ? best : each), null)?.common ?? null;
}

/** Return the whole address with the suggested domain for `address` (normalised), or null. */
export function suggestAddress(address: string): string | null {
  const at = address.lastIndexOf("@");
  const domain = at < 1 ? null : suggestDomain(address.slice(at + 1));
  return domain === null ? null : `${address.slice(0, at)}@${domain}`;
}

/** Return true while `domain` may still be the beginning of a common domain that is being typed. */
export function isBeginning(domain: string): boolean {
  return COMMON.some((common) => common.startsWith(domain));
}

function isKnown(domain: string): boolean {
  return [...COMMON, ...ALSO_IN_USE].some((known) => domain === known || domain.endsWith(`.${known}`));
}

function isNear(domain: string, common: string, total: number): boolean {
  if (label(common).length < SHORTEST_NAME) return total <= 2 && label(domain) === label(common);
  const inName = edits(label(domain), label(common));
  return total <= 1 || (total <= 2 && inName <= (label(common).length > SHORTEST_NAME ? 2 : 1));
}

function label(domain: string): string {
  return domain.split(".", 1)[0] ?? "";
}

/** Return the optimal string alignment distance: insertions, deletions, substitutions, swaps of two neighbours. */
function edits(from: string, to: string): number {
  let [twoAbove, above]: [number[], number[]] = [[], Array.from({ length: to.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(above, column) + 1, at(current, column - 1) + 1, at(above, column - 1) + (same ? 0 : 1),
        swapped ? at(twoAbove, column - 2) + 1 : Infinity,
      );
    }
    [twoAbove, above] = [above, current];
  }
  return at(above, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
