/** The body of a service worker: pages from the network where it answers soon, else as `offline.ts` kept them. */

interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Worker {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", listener: (event: Event & { waitUntil(work: Promise<void>): void }) => void): void;
  addEventListener(name: "fetch", listener: (event: Fetching) => void): void;
}

const SOON_MS = 3000;

/** `more`: whether a path besides programs and styles is answered from the shelf. */
export function serveFrom(shelf: string, more: (path: string) => boolean = () => false): void {
  const worker = globalThis as unknown as Worker;
  worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
  worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const path = new URL(request.url).pathname;
    if (request.method !== "GET") return;
    if (request.mode === "navigate" && request.url.startsWith(worker.registration.scope)) event.respondWith(page(shelf, request));
    else if (path.startsWith("/assets/") || more(path)) event.respondWith(part(shelf, request));
  });
}

/** A redirect to the sign-in page is passed on as it is: whoever is signed out and online signs in. */
async function page(shelf: string, request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(SOON_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // no network: below
  }
  return (await kept(shelf, request)) ?? Response.error();
}

async function part(shelf: string, request: Request): Promise<Response> {
  return (await kept(shelf, request)) ?? (await fetch(request));
}

async function kept(shelf: string, request: Request): Promise<Response | undefined> {
  return await (await caches.open(shelf)).match(new URL(request.url).pathname);
}
