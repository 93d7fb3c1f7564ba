/** Show a QR code as an image that prints sharply. */

import { utf8 } from "./encoding.ts";
import { makeQrCode } from "./qr_code.ts";

const SVG = "http://www.w3.org/2000/svg";
/** Light modules around a code (ISO/IEC 18004). */
const QUIET = 4;

/** Return the code of a text as an SVG image. `label`: text for people who do not see it. */
export function qrImage(text: string, label: string): SVGElement {
  const { modules } = makeQrCode(utf8(text));
  const side = modules.length + 2 * QUIET;
  const dark = modules.flatMap((row, down) => row.flatMap((isDark, right) => (isDark ? [`M${right + QUIET} ${down + QUIET}h1v1h-1z`] : [])));
  const image = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 0 ${side} ${side}`, class: "qr", role: "img", "aria-label": label })) image.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", dark.join(""));
  image.append(path);
  return image;
}
