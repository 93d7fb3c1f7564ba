/** The reception page: what this device kept, its name, and then the desk. */

import { byId, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { Book } from "./scan_log.ts";
import { OfficeClock, page } from "./data.ts";
import { Desk } from "./desk.ts";
import { Keeping } from "./database.ts";
import { rosterOf } from "./roster.ts";
import { Screen } from "./screen.ts";
import { forget } from "./page_cache.ts";

const EMPTY = { v: 1, campaign: page.campaign, public_key: "", classes: [], places: [] } as const;

const keeping = await Keeping.open(page.campaign).catch((error: unknown) => {
  section("no-storage").hidden = false;
  throw error;
});
const { kept, scans } = await keeping.read();
const book = new Book(rosterOf(kept.roster ?? EMPTY, page.lang));
for (const scan of scans) book.put(scan);
const clock = new OfficeClock(kept.ahead ?? Date.parse(page.now) - Date.now());
if (clock.now() > Date.parse(page.close_out) && book.unsent().length === 0) await wipe();
else if (kept.device === undefined) askForName();
else open(kept.device);

function askForName(): void {
  section("name-form").hidden = false;
  section("name-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byId("name", HTMLInputElement).value.normalize("NFKC").trim().toUpperCase();
    const wrong = /^[A-Z0-9]{1,4}$/u.test(name) ? "" : t("reception.name.wrong");
    section("name-error").textContent = wrong;
    if (wrong !== "") return;
    const device = named(name);
    kept.device = device;
    section("name-form").hidden = true;
    void keeping.write(kept, []).then(() => open(device));
  });
}

/** Two devices that got the same name are still two. */
function named(name: string): string {
  const random = crypto.getRandomValues(new Uint8Array(4));
  return `${name}-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** A device that was forgotten in a drawer holds nothing when it is found. */
async function wipe(): Promise<void> {
  await keeping.wipe(page.campaign);
  await forget();
  section("wiped").hidden = false;
}

function open(device: string): void {
  new Screen(new Desk(page.campaign, device, book, kept, keeping, clock)).start();
}
