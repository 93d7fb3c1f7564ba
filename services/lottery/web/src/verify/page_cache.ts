/** What this page keeps in the browser: itself, and the last record that it read from the office. */

export const SHELF = "kuji-verify-1";

const LONG_MS = 300_000;

export interface Read {
  readonly text: string;
  /** From this device, for there was no network. */
  readonly kept: boolean;
}

/** From the network, and kept; without a network as it was kept. Null where the office has none yet. */
export async function fetched(path: string): Promise<Read | null> {
  const shelf = await caches.open(SHELF);
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(LONG_MS) });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await shelf.put(path, answer.clone());
    return { text: await answer.text(), kept: false };
  } catch (error) {
    const kept = await shelf.match(path);
    if (kept === undefined) throw error;
    return { text: await kept.text(), kept: true };
  }
}
