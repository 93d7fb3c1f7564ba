/** Keyboard scanners: devices that type the code and end it with Enter or Tab. */

const SHORTEST = 4;
/** A pass has 164 characters; of a longer text the end counts. */
const LONGEST = 400;

/**
 * Call `onScan` with each text that is typed outside of a text field and ended with Enter or Tab.
 *
 * Only the terminator ends a text. A pause does not: a scanner at a slow tablet pauses in the middle of a code.
 * A touch on the screen discards what was typed by accident. Spaces belong to buttons: no code contains one.
 */
export function listenToScanner(onScan: (text: string) => void): void {
  let text = "";
  document.addEventListener("pointerdown", () => { text = ""; }, { capture: true });
  document.addEventListener("keydown", (event) => {
    const target = event.target instanceof HTMLElement ? event.target : null;
    if (target?.matches("input[type=text], textarea")) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === "Tab") {
      const scanned = text;
      text = "";
      if (scanned.length < SHORTEST) return;
      event.preventDefault();
      onScan(scanned);
    } else if (event.key.length === 1 && event.key !== " ") {
      // A select element would take the letters for a choice of a class.
      if (target instanceof HTMLSelectElement) event.preventDefault();
      text = (text + event.key).slice(-LONGEST);
    }
  }, { capture: true });
}
