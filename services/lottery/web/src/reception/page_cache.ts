/** Cache that holds the page on the device, for use without a network. */

export const PAGE_CACHE = "kuji-reception-1";

/** Delete the cached page and its service worker from the device. */
export async function deletePageCache(): Promise<void> {
  await caches.delete(PAGE_CACHE);
  await (await navigator.serviceWorker.getRegistration())?.unregister();
}
