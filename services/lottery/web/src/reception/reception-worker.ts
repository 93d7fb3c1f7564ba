/** The service worker of reception. */

import { serveFrom } from "../../../../../shared/web/src/serving.ts";
import { SHELF } from "./shelf.ts";

serveFrom(SHELF, (path) => path.endsWith("/app.webmanifest"));
