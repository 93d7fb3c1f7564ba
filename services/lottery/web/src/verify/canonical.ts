/** Canonical JSON (RFC 8785) of parsed JSON. Numbers must be safe integers. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((member) => canonical(member as Json)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const object = value as { readonly [name: string]: Json };
    return `{${Object.keys(object).sort().map((name) => `${JSON.stringify(name)}:${canonical(object[name] as Json)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new InvalidRecordError("a number that is not whole");
  return JSON.stringify(value);
}

/** Thrown when a record does not have the form of one; the message says where. */
export class InvalidRecordError extends Error {}
