/** The service worker of /verify: the page from the network where it answers soon, else as it was kept. */

import { SHELF } from "./shelf.ts";

interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

interface Worker {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate", listener: (event: Event & { waitUntil(work: Promise<void>): void }) => void): void;
  addEventListener(name: "fetch", listener: (event: Fetching) => void): void;
}

const worker = globalThis as unknown as Worker;
const SOON_MS = 3000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(request));
  else if (new URL(request.url).pathname.startsWith("/assets/")) event.respondWith(part(request));
});

async function page(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(SOON_MS) });
    if (answer.ok) return answer;
  } catch {
    // no network: below
  }
  return (await kept(request)) ?? (await fetch(request));
}

async function part(request: Request): Promise<Response> {
  return (await kept(request)) ?? (await fetch(request));
}

async function kept(request: Request): Promise<Response | undefined> {
  return await (await caches.open(SHELF)).match(new URL(request.url).pathname);
}
