/** Canonical JSON (RFC 8785) of what JSON.parse gives; numbers must be whole and safe, as ours are. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((each) => canonical(each as Json)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const object = value as { readonly [name: string]: Json };
    return `{${Object.keys(object).sort().map((name) => `${JSON.stringify(name)}:${canonical(object[name] as Json)}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Refused("a number that is not whole");
  return JSON.stringify(value);
}

/** The file is not what it says it is; the text says where. */
export class Refused extends Error {}
