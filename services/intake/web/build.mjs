// Bundles what the pages load: `node build.mjs` into dist/, names with the hash of the content, and a manifest with
// the integrity of each file (SRI). `node build.mjs ENTRY OUT` bundles one program for node, as the tests do.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const ENTRIES = ["src/apply.ts", "src/status.ts", "src/kuji.css"];
const COMMON = { absWorkingDir: here, bundle: true, format: "esm", legalComments: "none", logLevel: "warning" };

async function bundlePages() {
  const dist = join(here, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist);
  const result = await build({ ...COMMON, entryPoints: ENTRIES, outdir: dist, minify: true, target: "es2022", write: false });
  const manifest = {};
  const icon = { path: "kuji.svg", contents: await readFile(join(here, "src", "kuji.svg")) };
  for (const { path, contents } of [...result.outputFiles, icon]) {
    const digest = createHash("sha384").update(contents).digest();
    const extension = extname(path);
    const file = `${basename(path, extension)}-${digest.toString("hex").slice(0, 16)}${extension}`;
    await writeFile(join(dist, file), contents);
    manifest[basename(path)] = { file, integrity: `sha384-${digest.toString("base64")}` };
  }
  await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
}

async function bundleProgram(entry, outfile) {
  await build({ ...COMMON, entryPoints: [entry], outfile, platform: "node", target: "node20", nodePaths: [join(here, "node_modules")] });
}

const [entry, outfile] = process.argv.slice(2);
await (entry ? bundleProgram(entry, outfile) : bundlePages());
