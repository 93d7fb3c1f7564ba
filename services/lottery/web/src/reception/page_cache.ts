/** Where the page is kept on the device, and how it goes from there. */

export const SHELF = "kuji-reception-1";

/** Nothing of the page stays on the device. */
export async function forget(): Promise<void> {
  await caches.delete(SHELF);
  await (await navigator.serviceWorker.getRegistration())?.unregister();
}
