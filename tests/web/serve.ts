/** Answers the questions of tests, one after the other: a line of JSON `[what, question]` in, a line of JSON out. */

type Answers = Readonly<Record<string, (asked: never) => unknown>>;

declare const process: { stdin: AsyncIterable<Uint8Array>; stdout: { write(text: string): void } };

/** Serve until the input ends. An error is answered, too: `{"failed": text}` instead of `{"answer": …}`. */
export async function serve(answers: Answers): Promise<void> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of process.stdin) {
    const lines = decoder.decode(chunk, { stream: true }).split("\n");
    while (lines.length > 1) {
      const line = parts.join("") + (lines.shift() as string);
      parts = [];
      process.stdout.write(`${JSON.stringify(await reply(answers, line))}\n`);
    }
    parts.push(lines[0] as string);
  }
}

async function reply(answers: Answers, line: string): Promise<unknown> {
  const [what, question] = JSON.parse(line) as [string, never];
  try {
    return { answer: await answers[what]?.(question) };
  } catch (error) {
    return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
