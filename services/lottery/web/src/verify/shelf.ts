/** What this page keeps in the browser: itself, and the last record that it read from the office. */

export const SHELF = "kuji-verify-1";

/** From the network, and kept; without a network as it was kept. Null where the office has none yet. */
export async function fetched(path: string): Promise<Response | null> {
  const shelf = await caches.open(SHELF);
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(60_000) });
    if (answer.status === 404) return null;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await shelf.put(path, answer.clone());
    return answer;
  } catch (error) {
    const kept = await shelf.match(path);
    if (kept === undefined) throw error;
    return kept;
  }
}
