/** The service worker of reception: pages from the network where it answers soon, else as they were kept. */

import { SHELF } from "./shelf.ts";

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

const worker = globalThis as unknown as Worker;
const SOON_MS = 3000;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && request.url.startsWith(worker.registration.scope)) event.respondWith(page(request));
  else if (path.startsWith("/assets/") || path.endsWith("/app.webmanifest")) event.respondWith(part(request));
});

/** A redirect to the sign-in page is passed on as it is: whoever is signed out and online signs in. */
async function page(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(SOON_MS) });
    if (answer.status < 500) return answer;
  } catch {
    // no network: below
  }
  return (await (await caches.open(SHELF)).match(new URL(request.url).pathname)) ?? Response.error();
}

async function part(request: Request): Promise<Response> {
  return (await (await caches.open(SHELF)).match(new URL(request.url).pathname)) ?? (await fetch(request));
}
