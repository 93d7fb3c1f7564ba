/** Read the data block of intake's pages. */

import { read, type Frame } from "#shared/page.ts";
import type { Rules } from "./campaign.ts";

export { maybe, now, t } from "#shared/page.ts";

interface Page extends Frame {
  readonly rules: Rules;
  /** The vault's public signing key (base64url), pinned when the office was set up. */
  readonly signing_key: string;
}

export const page = read<Page>();
