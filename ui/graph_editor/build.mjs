// Bundles src/ and cytoscape into build/graph_editor.js, with the licence text beside it.
//   npm ci && npm run build

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

// A test compares this with the sources, so that nobody forgets to build.
const digest = createHash("sha256");
for (const name of readdirSync("src").filter((name) => name.endsWith(".js")).sort()) {
  digest.update(readFileSync(`src/${name}`));
}

const banner = `// CausalMix graph editor, built from src/ by build.mjs: do not edit.
// Contains cytoscape ${versionOf("cytoscape")} (MIT); see cytoscape.LICENSE beside this file.
// Sources: sha256 ${digest.digest("hex")}`;

await build({
  entryPoints: ["src/index.js"],
  outfile: "build/graph_editor.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  charset: "utf8",
  legalComments: "eof",
  // Streamlit takes a text without a line break for a file name: the banner gives it one.
  banner: { js: banner },
});

writeFileSync(
  new URL("build/cytoscape.LICENSE", import.meta.url),
  readFileSync(new URL("node_modules/cytoscape/LICENSE", import.meta.url)),
);
