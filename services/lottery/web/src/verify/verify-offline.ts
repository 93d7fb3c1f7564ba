/** The service worker of /verify. */

import { serveFrom } from "../../../../../shared/web/src/serving.ts";
import { SHELF } from "./shelf.ts";

serveFrom(SHELF);
