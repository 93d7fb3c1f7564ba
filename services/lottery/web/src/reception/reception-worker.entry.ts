/** The service worker of reception. */

import { serveFrom } from "#shared/serving.ts";
import { SHELF } from "./page_cache.ts";

serveFrom(SHELF, (path) => path.endsWith("/app.webmanifest"));
