/** Cache of the page /verify: its program and the last record that it read from the server. */

export const PAGE_CACHE = "kuji-verify-1";

const TIMEOUT_MS = 300_000;

export interface CachedText {
  readonly text: string;
  /** True if the text came from the cache because there was no network. */
  readonly kept: boolean;
}

/** An answer whose body is not read yet. */
export interface CachedAnswer {
  readonly answer: Response;
  readonly kept: boolean;
}

/** Fetch a text and cache it; without a network return the cached one. Null if the server answers 404. */
export async function fetchWithCache(path: string): Promise<CachedText | null> {
  const found = await fetchIntoCache(path);
  return found === null ? null : { text: await found.answer.text(), kept: found.kept };
}

/**
 * Fetch an answer into the cache and return it from there; without a network return the one cached before.
 *
 * The body goes to the cache as it arrives and is read from it: a copied body would be held in memory as a whole.
 */
export async function fetchIntoCache(path: string): Promise<CachedAnswer | null> {
  const cache = await caches.open(PAGE_CACHE);
  const fetched = await tryToFetch(cache, path);
  if (fetched === "missing") return null;
  const answer = await cache.match(path);
  if (answer === undefined) throw fetched instanceof Error ? fetched : new Error(`${path} is not in the cache`);
  return { answer, kept: fetched instanceof Error };
}

/** Put the server's answer into the cache. Return `missing` for 404, and the error where there is no answer. */
async function tryToFetch(cache: Cache, path: string): Promise<"missing" | "cached" | Error> {
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 404) return "missing";
    if (!answer.ok) return new Error(`status ${answer.status}`);
    await cache.put(path, answer);
    return "cached";
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Yield a body in pieces as it is read. */
export async function* pieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) yield piece.value;
}
