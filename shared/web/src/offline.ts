/** A page without a network: a service worker (`page_cache.ts`) answers with what was kept here. */

interface Policies {
  createPolicy(name: string, rules: { createScriptURL: (url: string) => string }): { createScriptURL(url: string): unknown };
}

/** An address of ours as the page's policy wants it (Trusted Types). `policy` names one of the page's own. */
export function trusted(policy: string, url: string): string {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  return (policies?.createPolicy(policy, { createScriptURL: () => url }).createScriptURL(url) ?? url) as string;
}

/**
 * Resolves when the page would open without a network. Rejects where the browser cannot do that.
 * `more`: what the page loads besides what it names.
 */
export async function prepare(worker: string, shelf: string, more: readonly string[] = []): Promise<void> {
  await navigator.serviceWorker.register(trusted(shelf, worker), { scope: location.pathname });
  await navigator.serviceWorker.ready;
  const kept = await caches.open(shelf);
  const wanted = [location.pathname, ...parts(), ...more];
  for (const url of wanted) await keep(kept, url);
  const old = (await kept.keys()).map((each) => new URL(each.url).pathname).filter((path) => path.startsWith("/assets/") && !wanted.includes(path));
  await Promise.all(old.map(async (path) => await kept.delete(path)));
}

/** What is there stays where the network is away; a redirect is no page. */
async function keep(shelf: Cache, url: string): Promise<void> {
  const answer = await fetch(url, { cache: "reload" }).catch(() => null);
  if (answer?.ok && !answer.redirected) await shelf.put(url, answer);
  else if ((await shelf.match(url)) === undefined) throw new Error(`not kept: ${url}`);
}

/** Program, style, icon: what the page names. */
function parts(): string[] {
  const named = document.querySelectorAll<HTMLLinkElement | HTMLScriptElement>("link[rel=stylesheet], link[rel=icon], script[src]");
  return [...named].map((each) => new URL(each instanceof HTMLLinkElement ? each.href : each.src).pathname);
}
