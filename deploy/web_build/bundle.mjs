// Bundles what the pages load: `node deploy/web_build/bundle.mjs` into services/*/web/dist/, names with the hash of the content, and
// a manifest with the integrity of each file (SRI). `node deploy/web_build/bundle.mjs ENTRY OUT` bundles one program for node, as
// the tests do.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Programs of each service, below services/<service>/web/src. Names are unique within a service. */
const PROGRAMS = {
  intake: ["apply.ts", "status.ts"],
  lottery: ["draws/draws.css", "draws/draws.ts", "draws/dice.ts", "reception/reception.css", "reception/reception.ts", "reception/reception-worker.ts", "verify/verify.css", "verify/verify.ts", "verify/verify-work.ts", "verify/verify-offline.ts"],
};
const STYLES = "shared/web/src/kuji.css";
const ICON = "shared/web/src/kuji.svg";
const COMMON = { absWorkingDir: root, bundle: true, format: "esm", legalComments: "none", logLevel: "warning" };

async function bundlePages(service, programs) {
  const web = join("services", service, "web");
  const dist = join(root, web, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const entryPoints = [STYLES, ...programs.map((name) => join(web, "src", name))];
  const result = await build({ ...COMMON, entryPoints, entryNames: "[name]", outdir: dist, minify: true, target: "es2022", write: false });
  const icon = { path: ICON, contents: await readFile(join(root, ICON)) };
  const manifest = {};
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
  await build({ ...COMMON, entryPoints: [entry], outfile, platform: "node", target: "node20" });
}

const [entry, outfile] = process.argv.slice(2);
if (entry) await bundleProgram(entry, outfile);
else for (const [service, programs] of Object.entries(PROGRAMS)) await bundlePages(service, programs);
