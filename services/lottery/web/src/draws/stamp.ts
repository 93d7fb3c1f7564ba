/** A time stamp's file as the call wants it: base64, and of which kind. Larger ones than the server takes are cut short. */

const MOST_BYTES = 70_000;

/** An OpenTimestamps proof begins with a zero byte; a token of RFC 3161 is DER, and never does. */
export async function stampIn(file: Blob): Promise<{ kind: "ots" | "rfc3161"; content: string }> {
  const bytes = new Uint8Array(await file.slice(0, MOST_BYTES).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return { kind: bytes[0] === 0 ? "ots" : "rfc3161", content: btoa(binary) };
}
