/** What intake's pages tell their programs, checked where it matters by the vault's key. */

import { read, type Frame } from "#shared/page.ts";
import type { Rules } from "./campaign.ts";

export { maybe, now, t } from "#shared/page.ts";

interface Page extends Frame {
  readonly rules: Rules;
  /** The vault's public signing key (base64url), pinned when the office was set up. */
  readonly signing_key: string;
}

export const page = read<Page>();
