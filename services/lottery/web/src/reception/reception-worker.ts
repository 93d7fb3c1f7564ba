/** The service worker of reception. */

import { serveFrom } from "../../../../../shared/web/src/serving.ts";
import { SHELF } from "./page_cache.ts";

serveFrom(SHELF, (path) => path.endsWith("/app.webmanifest"));
