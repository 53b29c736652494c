// Copies pinned front-end files from node_modules into the package, with licences and checksums, and builds the icon sprite.
// Run by a developer (`npm run vendor`); the result is committed, so installing and running needs no Node.
// `--check` rebuilds in memory and fails if the committed files differ.
import {readFileSync as read, writeFileSync as write, mkdirSync, existsSync, rmSync} from 'node:fs';
import {createHash} from 'node:crypto';

const OUT = '../allswell/web/static/vendor', NM = 'node_modules';
const FILES = [ // [name, package, path]
  ['htmx.js', 'htmx.org', 'dist/htmx.min.js'],
  ['htmx-sse.js', 'htmx.org', 'dist/ext/hx-sse.min.js'],
  ['htmx-preload.js', 'htmx.org', 'dist/ext/hx-preload.min.js'],
  ['markdown-toolbar.js', '@github/markdown-toolbar-element', 'dist/index.js'],
  ['inter.woff2', '@fontsource-variable/inter', 'files/inter-latin-wght-normal.woff2'],
  ['inter-ext.woff2', '@fontsource-variable/inter', 'files/inter-latin-ext-wght-normal.woff2'],
];
const ICONS = read('icons.txt', 'utf8').split(/\s+/).filter(Boolean).sort();
const out = new Map(), manifest = {}, licences = {};

const version = name => JSON.parse(read(`${NM}/${name}/package.json`)).version;
const add = (name, from, bytes) => {
  out.set(name, bytes);
  const digest = createHash('sha384').update(bytes).digest('base64');
  manifest[name] = {integrity: `sha384-${digest}`, package: from, version: version(from), bytes: bytes.length};
};
const plain = bytes => Buffer.from(bytes.toString('utf8').replace(/\n?\/\/# sourceMappingURL=.*$/m, ''));
const symbol = icon => {
  const svg = read(`${NM}/@tabler/icons/icons/outline/${icon}.svg`, 'utf8');
  const inner = svg.match(/<svg[^>]*>([\s\S]*)<\/svg>/)[1].replace(/<path stroke="none"[^>]*\/>/, '').replace(/\s*\n\s*/g, '');
  return `<symbol id="${icon}" viewBox="0 0 24 24">${inner}</symbol>`;
};

for (const [name, from, path] of FILES) {
  const bytes = read(`${NM}/${from}/${path}`);
  add(name, from, name.endsWith('.js') ? plain(bytes) : bytes);
}
add('icons.svg', '@tabler/icons', Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">${ICONS.map(symbol).join('')}</svg>`));
for (const from of new Set([...FILES.map(file => file[1]), '@tabler/icons']))
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license'])
    if (existsSync(`${NM}/${from}/${name}`)) { licences[from] = read(`${NM}/${from}/${name}`, 'utf8'); break; }
out.set('manifest.json', Buffer.from(JSON.stringify(manifest, null, 1) + '\n'));
out.set('LICENSES.txt', Buffer.from(Object.entries(licences).sort().map(([from, text]) => `==== ${from}\n${text.trim()}\n`).join('\n')));

if (process.argv.includes('--check')) {
  const differing = [...out].filter(([name, bytes]) => !existsSync(`${OUT}/${name}`) || !read(`${OUT}/${name}`).equals(bytes));
  console.log(differing.length ? 'differs: ' + differing.map(([name]) => name).join(', ') : `ok, ${out.size} files`);
  process.exit(differing.length ? 1 : 0);
}
rmSync(OUT, {recursive: true, force: true});
mkdirSync(OUT, {recursive: true});
for (const [name, bytes] of out) write(`${OUT}/${name}`, bytes);
console.log(`wrote ${out.size} files`);
