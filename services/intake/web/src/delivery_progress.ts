/** Show the progress of a delivery, and wait for the next attempt. */

import type { DeliveryView } from "./delivery.ts";
import { byId, section } from "#shared/dom.ts";
import { t } from "./page.ts";

export const progress: DeliveryView = {
  sealing: () => showProgress(t("sending.sealing")),
  sending: () => showProgress(t("sending.sending")),
  working: () => showProgress(t("sending.working")),
  wait: async (seconds) => {
    const button = byId("send-now", HTMLButtonElement);
    showProgress(t("sending.waiting", { seconds: Math.ceil(seconds) }));
    button.hidden = false;
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, 1000 * seconds)),
      new Promise((resolve) => button.addEventListener("click", resolve, { once: true })),
      new Promise((resolve) => window.addEventListener("online", resolve, { once: true })),
    ]);
    button.hidden = true;
  },
};

function showProgress(text: string): void {
  section("sending-state").textContent = text;
}
