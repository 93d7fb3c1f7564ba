/** Program of the sign-in page: a button that signs in with a passkey, where the browser has passkeys. */

import { byId, section } from "#shared/dom.ts";
import { t } from "#shared/page.ts";
import { getPasskey, page, post } from "./passkey_calls.ts";

interface SignInPage {
  readonly target: Readonly<Record<string, string>>;
}

async function signIn(): Promise<void> {
  const said = section("passkey-answer");
  said.textContent = "";
  try {
    const options = await post<Parameters<typeof getPasskey>[0]>("/sign-in/passkey/options", {});
    const answer = await getPasskey(options);
    const { target } = page as typeof page & SignInPage;
    const { address } = await post<{ readonly address: string }>("/sign-in/passkey", { answer, target });
    window.location.assign(address);
  } catch {
    said.textContent = t("passkey.failed");
  }
}

if ("credentials" in navigator && "PublicKeyCredential" in window) {
  section("passkey").hidden = false;
  byId("use-passkey", HTMLButtonElement).addEventListener("click", () => void signIn());
}
