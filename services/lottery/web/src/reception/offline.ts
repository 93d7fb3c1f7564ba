/** The page itself without a network: a service worker answers with what was kept here. */

export const SHELF = "kuji-reception-1";

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

/** Resolves when the page would open without a network. Rejects where the browser cannot do that. */
export async function prepare(worker: string): Promise<void> {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  const address = policies?.createPolicy("kuji-reception", { createScriptURL: () => worker }).createScriptURL(worker) ?? worker;
  await navigator.serviceWorker.register(address as string);
  await navigator.serviceWorker.ready;
  const shelf = await caches.open(SHELF);
  const wanted = [location.pathname, ...parts()];
  for (const url of wanted) await keep(shelf, url);
  const kept = (await shelf.keys()).map((each) => new URL(each.url).pathname);
  const old = kept.filter((path) => path.startsWith("/assets/") && !wanted.includes(path));
  await Promise.all(old.map(async (path) => await shelf.delete(path)));
}

/** What is there stays where the network is away; a redirect is no page. */
async function keep(shelf: Cache, url: string): Promise<void> {
  const answer = await fetch(url, { cache: "reload" }).catch(() => null);
  if (answer?.ok && !answer.redirected) await shelf.put(url, answer);
  else if ((await shelf.match(url)) === undefined) throw new Error(`not kept: ${url}`);
}

export async function forget(): Promise<void> {
  await caches.delete(SHELF);
  await (await navigator.serviceWorker.getRegistration())?.unregister();
}

/** Program, style, icon: what the page names. */
function parts(): string[] {
  const named = document.querySelectorAll<HTMLLinkElement | HTMLScriptElement>("link[href], script[src]");
  return [...named].map((each) => new URL(each instanceof HTMLLinkElement ? each.href : each.src).pathname);
}
