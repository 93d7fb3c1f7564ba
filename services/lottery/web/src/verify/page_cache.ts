/** Cache of the page /verify: its program and the last record that it read from the server. */

export const PAGE_CACHE = "kuji-verify-1";

const TIMEOUT_MS = 300_000;

export interface CachedText {
  readonly text: string;
  /** True if the text came from the cache because there was no network. */
  readonly kept: boolean;
}

/** Fetch a text and cache it; without a network return the cached one. Null if the server answers 404. */
export async function fetchWithCache(path: string): Promise<CachedText | null> {
  const cache = await caches.open(PAGE_CACHE);
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await cache.put(path, answer.clone());
    return { text: await answer.text(), kept: false };
  } catch (error) {
    const kept = await cache.match(path);
    if (kept === undefined) throw error;
    return { text: await kept.text(), kept: true };
  }
}
