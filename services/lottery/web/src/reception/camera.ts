/** QR codes from the camera: read by the browser's own detector if there is one, else by jsQR. */

import jsQR from "jsqr";

const EVERY_MS = 160;
const LARGEST_PX = 800;

interface Detector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}

interface Detectors {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

/** Runs from `start` to `stop`. `onCode` is called for every picture in which a code was read. */
export class Camera {
  private stream: MediaStream | null = null;
  private running = 0;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly onCode: (text: string) => void,
  ) {}

  get isOn(): boolean {
    return this.stream !== null;
  }

  /** Start reading. Rejects if there is no camera or the user denies it. */
  async start(): Promise<void> {
    const video = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    this.running += 1;
    void this.readPictures(this.running, await chooseReader());
  }

  stop(): void {
    this.running += 1;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
  }

  private async readPictures(run: number, read: (video: HTMLVideoElement) => Promise<string | null>): Promise<void> {
    while (run === this.running) {
      const text = this.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA ? await read(this.video) : null;
      if (text !== null && run === this.running) this.onCode(text);
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}

async function chooseReader(): Promise<(video: HTMLVideoElement) => Promise<string | null>> {
  const detectors = (globalThis as { BarcodeDetector?: Detectors }).BarcodeDetector;
  if (detectors !== undefined && (await detectors.getSupportedFormats()).includes("qr_code")) {
    const detector = new detectors({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue ?? null;
  }
  const canvas = document.createElement("canvas");
  return async (video) => readFrame(video, canvas);
}

function readFrame(video: HTMLVideoElement, canvas: HTMLCanvasElement): string | null {
  const scale = Math.min(1, LARGEST_PX / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null || canvas.width === 0) return null;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  return jsQR(data, width, height, { inversionAttempts: "dontInvert" })?.data || null;
}
