/** Time stamp files as the API expects them: kind and base64. */

/** More than the server accepts, so that it refuses larger files. */
const MOST_BYTES = 70_000;

/** Read a time stamp. An OpenTimestamps proof begins with a zero byte; a token of RFC 3161 is DER and does not. */
export async function readTimestamp(file: Blob): Promise<{ kind: "ots" | "rfc3161"; content: string }> {
  const bytes = new Uint8Array(await file.slice(0, MOST_BYTES).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return { kind: bytes[0] === 0 ? "ots" : "rfc3161", content: btoa(binary) };
}
