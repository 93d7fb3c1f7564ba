/** Program of the own account's page: makes a passkey on this device. */

import { byId, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { createPasskey, post } from "./passkey_calls.ts";

async function register(): Promise<void> {
  const said = section("passkey-answer");
  said.textContent = "";
  try {
    const options = await post<Parameters<typeof createPasskey>[0]>("/desk/me/passkeys/options", {});
    await post("/desk/me/passkeys", { answer: await createPasskey(options) });
    window.location.reload();
  } catch {
    said.textContent = t("passkey.failed");
  }
}

if ("credentials" in navigator && "PublicKeyCredential" in window) {
  section("passkey").hidden = false;
  byId("add-passkey", HTMLButtonElement).addEventListener("click", () => void register());
}
