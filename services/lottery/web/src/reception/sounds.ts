/** Sounds of the three kinds of answer: one high tone, two middle tones, one long low tone; phones also vibrate. */

export type Tone = "good" | "look" | "bad";

const NOTES: Readonly<Record<Tone, readonly (readonly [at: number, hertz: number, length: number])[]>> = {
  good: [[0, 1320, 0.12]],
  look: [[0, 660, 0.12], [0.2, 660, 0.12]],
  bad: [[0, 196, 0.5]],
};
const VIBRATIONS: Readonly<Record<Tone, number[]>> = { good: [60], look: [80, 80, 80], bad: [400] };

export class Sounds {
  private context: AudioContext | null = null;
  muted = false;

  /** Start the audio. Browsers allow sound only after the user touched the page, so every touch calls this. */
  wake(): void {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") void this.context.resume();
  }

  play(tone: Tone): void {
    if (this.muted) return;
    navigator.vibrate?.(VIBRATIONS[tone]);
    const context = this.context;
    if (context === null || context.state !== "running") return;
    for (const [at, hertz, length] of NOTES[tone]) {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      gain.gain.setValueAtTime(0.2, context.currentTime + at);
      gain.gain.linearRampToValueAtTime(0, context.currentTime + at + length);
      oscillator.frequency.value = hertz;
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(context.currentTime + at);
      oscillator.stop(context.currentTime + at + length);
    }
  }
}
