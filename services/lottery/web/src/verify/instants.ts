/** Times of the record in microseconds, so that deadlines are compared exactly. */

import { InvalidRecordError } from "./canonical.ts";

/** Microseconds since 1970; a safe integer until the year 2255. */
export type Instant = number;

const WRITTEN = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?(Z|[+-]\d\d:\d\d)$/u;
export const HOUR: Instant = 3_600_000_000;

/** Parse RFC 3339 with an offset. Throws InvalidRecordError. */
export function instant(written: unknown): Instant {
  const [, seconds = "", fraction = "0", offset = ""] = WRITTEN.exec(String(written)) ?? [];
  const ms = Date.parse(seconds + offset);
  if (Number.isNaN(ms)) throw new InvalidRecordError("not a time of RFC 3339");
  return ms * 1000 + Number(fraction);
}
