/** Read the data block of intake's pages. */

import { read, type Frame } from "#shared/page.ts";
import type { Rules } from "./campaign.ts";

export { maybe, now, t } from "#shared/page.ts";

interface Page extends Frame {
  readonly rules: Rules;
  /** The vault's public signing keys (base64url, a blank between two), pinned by the office. */
  readonly signing_key: string;
  /** Intake's public keys that are not revoked (base64url); one of them signs each receipt document. */
  readonly intake_keys: readonly string[];
  /** True while applications can be sent, corrected and withdrawn. */
  readonly is_open: boolean;
}

export const page = read<Page>();
