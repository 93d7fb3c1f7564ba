/** The data block of the reception page, and time as the office has it. */

import { read, type Frame } from "#shared/page.ts";

export interface Page extends Frame {
  readonly campaign: string;
  /** Who signed in when the page was made. */
  readonly actor: string;
  /** The service worker's path. */
  readonly worker: string;
  /** When the campaign is closed out: nothing of it belongs on a device any more. */
  readonly close_out: string;
  /** The web application manifest's path. */
  readonly manifest: string;
}

export const page = read<Page>();

/** The clock of the office as this device last heard it; a device's own may be wrong, and it may be offline for long. */
export class OfficeClock {
  constructor(public ahead: number) {}

  hear(now: string): void {
    this.ahead = Date.parse(now) - Date.now();
  }

  now(): number {
    return Date.now() + this.ahead;
  }
}
