/** Serve pages in a service worker: from the network if it answers soon, else from the cache of `offline.ts`. */

interface FetchRequested extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface ServiceWorkerScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", listener: (event: Event & { waitUntil(work: Promise<void>): void }) => void): void;
  addEventListener(name: "fetch", listener: (event: FetchRequested) => void): void;
}

const SOON_MS = 3000;

/** Answer the requests of pages. `more` returns true for further paths that the cache answers. */
export function serveFrom(cacheName: string, more: (path: string) => boolean = () => false): void {
  const worker = globalThis as unknown as ServiceWorkerScope;
  worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
  worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const path = new URL(request.url).pathname;
    if (request.method !== "GET") return;
    if (request.mode === "navigate" && request.url.startsWith(worker.registration.scope)) event.respondWith(page(cacheName, request));
    else if (path.startsWith("/assets/") || more(path)) event.respondWith(part(cacheName, request));
  });
}

/** Return the page. A redirect to the sign-in page passes unchanged, so that a signed-out user can sign in. */
async function page(cacheName: string, request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(SOON_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // no network: below
  }
  return (await kept(cacheName, request)) ?? Response.error();
}

async function part(cacheName: string, request: Request): Promise<Response> {
  return (await kept(cacheName, request)) ?? (await fetch(request));
}

async function kept(cacheName: string, request: Request): Promise<Response | undefined> {
  return await (await caches.open(cacheName)).match(new URL(request.url).pathname);
}
