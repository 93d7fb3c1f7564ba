/** Data block of a draw's staff pages, written by services/lottery/pages/draws.py. */

import { read, type Frame } from "#shared/page.ts";

export interface DrawPage extends Frame {
  readonly campaign: string;
  /** Signed-in handler; every change is made in this name. */
  readonly actor: string;
  /** Id and name of each class. */
  readonly classes: readonly (readonly [string, string])[];
}

export const page = read<DrawPage>();
