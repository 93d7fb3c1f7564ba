/** Scanners that type: whatever comes outside of a field, up to Enter, was typed by one. */

const SLOWEST_MS = 120;

export function listenToScanner(typed: (text: string) => void): void {
  let text = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea") !== null) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > SLOWEST_MS) text = "";
    last = event.timeStamp;
    if (event.key === "Enter" && text.length > 3) {
      event.preventDefault();
      typed(text);
      text = "";
    } else if (event.key.length === 1) text += event.key;
  }, { capture: true });
}
