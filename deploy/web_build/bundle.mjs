// Bundles the pages of one service: `node deploy/web_build/bundle.mjs SERVICE` writes services/SERVICE/web/dist/, file
// names with the hash of the content, and a manifest with the integrity of each file (SRI).
// `node deploy/web_build/bundle.mjs ENTRY OUT` bundles one program for node, as the tests do.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What a page loads: programs and style sheets anywhere below web/src. Their names are unique within a service. */
const ENTRY = /(\.entry\.ts|\.css)$/;
const STYLES = "shared/web/src/kuji.css";
const ICON = "shared/web/src/kuji.svg";
const COMMON = { absWorkingDir: root, bundle: true, format: "esm", legalComments: "none", logLevel: "warning" };

async function findEntries(sources) {
  const files = await readdir(join(root, sources), { recursive: true });
  return files.filter((file) => ENTRY.test(file)).sort().map((file) => join(sources, file));
}

async function bundlePages(service) {
  const web = join("services", service, "web");
  const dist = join(root, web, "dist");
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  const entryPoints = [STYLES, ...(await findEntries(join(web, "src")))];
  const result = await build({ ...COMMON, entryPoints, entryNames: "[name]", outdir: dist, minify: true, target: "es2022", write: false });
  const icon = { path: ICON, contents: await readFile(join(root, ICON)) };
  const manifest = {};
  for (const { path, contents } of [...result.outputFiles, icon]) {
    const name = basename(path).replace(".entry.", ".");
    if (name in manifest) throw new Error(`two entry points of ${service} are called ${name}`);
    const digest = createHash("sha384").update(contents).digest();
    const extension = extname(name);
    const file = `${basename(name, extension)}-${digest.toString("hex").slice(0, 16)}${extension}`;
    await writeFile(join(dist, file), contents);
    manifest[name] = { file, integrity: `sha384-${digest.toString("base64")}` };
  }
  await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
}

async function bundleProgram(entry, outfile) {
  await build({ ...COMMON, entryPoints: [entry], outfile, platform: "node", target: "node20" });
}

const [first, outfile] = process.argv.slice(2);
if (outfile) await bundleProgram(first, outfile);
else await bundlePages(first);
