/** Store a page for use without a network; a service worker (`page_cache.ts`) answers with the stored files. */

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

/** Return a script URL that the page's policy accepts (Trusted Types). `policy` is a name that the page allows. */
export function trusted(policy: string, url: string): string {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  return (policies?.createPolicy(policy, { createScriptURL: () => url }).createScriptURL(url) ?? url) as string;
}

/**
 * Store the page; resolves when it can open without a network. Rejects if the browser cannot store it.
 * `more`: paths that the page loads but does not name.
 */
export async function prepare(worker: string, cacheName: string, more: readonly string[] = []): Promise<void> {
  await navigator.serviceWorker.register(trusted(cacheName, worker), { scope: location.pathname });
  await navigator.serviceWorker.ready;
  const cache = await caches.open(cacheName);
  const wanted = [location.pathname, ...parts(), ...more];
  for (const url of wanted) await keep(cache, url);
  const old = (await cache.keys()).map((each) => new URL(each.url).pathname).filter((path) => path.startsWith("/assets/") && !wanted.includes(path));
  await Promise.all(old.map(async (path) => await cache.delete(path)));
}

/** Store a file. Without a network the stored one stays. A redirect is not stored, because it is no page. */
async function keep(cache: Cache, url: string): Promise<void> {
  const answer = await fetch(url, { cache: "reload" }).catch(() => null);
  if (answer?.ok && !answer.redirected) await cache.put(url, answer);
  else if ((await cache.match(url)) === undefined) throw new Error(`not kept: ${url}`);
}

/** Return the paths of program, style and icon. */
function parts(): string[] {
  const named = document.querySelectorAll<HTMLLinkElement | HTMLScriptElement>("link[rel=stylesheet], link[rel=icon], script[src]");
  return [...named].map((each) => new URL(each instanceof HTMLLinkElement ? each.href : each.src).pathname);
}
