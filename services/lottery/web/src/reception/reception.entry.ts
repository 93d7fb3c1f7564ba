/** Program of the reception page: reads the device's memory, asks for the device's name, and opens the view. */

import { byId, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { DeviceDatabase } from "./database.ts";
import { ReceptionDevice } from "./device.ts";
import { deletePageCache } from "./page_cache.ts";
import { page, ServerClock } from "./page_data.ts";
import { ReceptionView } from "./reception_view.ts";
import { readRoster } from "./roster.ts";
import { ScanLog } from "./scan_log.ts";

const EMPTY = { v: 3, campaign: page.campaign, public_keys: [], classes: [], places: [] } as const;

const database = await DeviceDatabase.open(page.campaign).catch((error: unknown) => {
  section("no-storage").hidden = false;
  throw error;
});
const { state, scans } = await database.read();
const log = new ScanLog(readRoster(state.roster ?? EMPTY, page.lang));
for (const scan of scans) log.put(scan);
const clock = new ServerClock(state.ahead ?? Date.parse(page.now) - Date.now());
if (clock.now() > Date.parse(page.close_out) && log.unsent().length === 0) await wipe();
else if (state.device === undefined) askForName();
else open(state.device);

function askForName(): void {
  section("name-form").hidden = false;
  section("name-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byId("name", HTMLInputElement).value.normalize("NFKC").trim().toUpperCase();
    const wrong = /^[A-Z0-9]{1,4}$/u.test(name) ? "" : t("reception.name.wrong");
    section("name-error").textContent = wrong;
    if (wrong !== "") return;
    const device = makeUnique(name);
    state.device = device;
    section("name-form").hidden = true;
    void database.write(state, []).then(() => open(device));
  });
}

/** Append random digits: two devices may be given the same name. */
function makeUnique(name: string): string {
  const random = crypto.getRandomValues(new Uint8Array(4));
  return `${name}-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Delete everything: a device that was left in a drawer must not hold data after the close-out. */
async function wipe(): Promise<void> {
  await database.wipe(page.campaign);
  await deletePageCache();
  section("wiped").hidden = false;
}

function open(device: string): void {
  new ReceptionView(new ReceptionDevice(page.campaign, device, log, state, database, clock)).start();
}
