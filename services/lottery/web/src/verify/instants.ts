/** Moments as the record writes them, to the microsecond: a deadline must not fall a fraction of a second apart. */

import { Refused } from "./canonical.ts";

/** Microseconds since 1970; a safe integer until the year 2255. */
export type Instant = number;

const WRITTEN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?(Z|[+-]\d\d:\d\d)$/u;
export const HOUR: Instant = 3_600_000_000;

/** Throws for a text that is not RFC 3339 with an offset. */
export function instant(written: unknown): Instant {
  const [, seconds = "", fraction = "0", offset = ""] = WRITTEN.exec(String(written)) ?? [];
  const ms = Date.parse(seconds + offset);
  if (Number.isNaN(ms)) throw new Refused("a time that is none");
  return ms * 1000 + Number(fraction);
}
