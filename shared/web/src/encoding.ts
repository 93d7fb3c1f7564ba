/** Encode bytes as text and back (docs/protocols.md). */

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Return base64url without padding (RFC 4648 §5). */
export function b64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return the bytes of base64url. Throws if the text is not base64url or not canonical (unused bits are set). */
export function unb64url(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9_-]*$/u.test(text)) throw new TypeError("not base64url");
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  if (b64url(bytes) !== text) throw new TypeError("not canonical base64url");
  return bytes;
}

/** Return canonical JSON (RFC 8785) of a flat object of texts and whole numbers. Throws for any other value. */
export function canonical(flat: Readonly<Record<string, unknown>>): string {
  for (const value of Object.values(flat)) {
    if (typeof value !== "string" && !Number.isSafeInteger(value)) throw new TypeError("not flat");
  }
  const members = Object.keys(flat).sort().map((name) => `${JSON.stringify(name)}:${JSON.stringify(flat[name])}`);
  return `{${members.join(",")}}`;
}

/** Return lower-case hex digits. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the bytes of lower-case hex. Throws for any other text. */
export function unhex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^(?:[0-9a-f]{2})*$/u.test(text)) throw new TypeError("not hex");
  return Uint8Array.from(text.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16));
}
