/** Scanners that type: whatever comes outside of a text field, fast and up to Enter, was typed by one. */

const SLOWEST_MS = 120;

export function listenToScanner(typed: (text: string) => void): void {
  let text = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (target?.matches("input[type=text], textarea")) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.timeStamp - last > SLOWEST_MS) text = "";
    last = event.timeStamp;
    if (event.key === "Enter" && text.length > 3) {
      event.preventDefault();
      typed(text);
      text = "";
    } else if (event.key.length === 1) {
      // A list would take the letters for a choice, and a code is no choice of a class.
      if (target instanceof HTMLSelectElement) event.preventDefault();
      text += event.key;
    }
  }, { capture: true });
}
