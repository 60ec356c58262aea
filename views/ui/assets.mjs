// Copies the vendored files into static/, builds the icon sprite from the names in icon.go and writes static/VENDORED.md.
// Runs from the repository's root: npm run assets
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';

const vendored = [
  ['htmx.org', 'dist/htmx.min.js', 'htmx-2.0.11.min.js', '0BSD', 'https://htmx.org'],
  ['htmx-ext-sse', 'dist/sse.min.js', 'sse-2.2.4.min.js', '0BSD', 'https://htmx.org/extensions/sse/'],
  ['@fontsource-variable/inter', 'files/inter-latin-wght-normal.woff2', 'inter-latin-5.3.0.woff2', 'OFL-1.1', 'https://rsms.me/inter/'],
];

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version;
const integrity = (file) => 'sha384-' + createHash('sha384').update(readFileSync(file)).digest('base64');

const names = [...readFileSync('views/ui/icon.go', 'utf8').matchAll(/Icon = "([a-z0-9-]+)"/g)].map((m) => m[1]).sort();
const symbols = names.map((name) => {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, 'utf8');
  const shapes = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>')).trim();
  return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s*\n\s*/g, '')}</symbol>`;
});
writeFileSync('static/icons.svg', `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join('\n')}\n</svg>\n`);

const rows = vendored.map(([name, from, to, licence, home]) => {
  if (!to.includes(version(name))) throw new Error(`${name} is ${version(name)}, but its file is called ${to}`);
  copyFileSync(`node_modules/${name}/${from}`, `static/${to}`);
  return `| ${to} | ${name} ${version(name)}, ${from} | ${licence} | ${home} | \`${integrity(`static/${to}`)}\` |`;
});
rows.push(`| icons.svg | lucide-static ${version('lucide-static')}, ${names.length} of its icons as symbols | ISC | https://lucide.dev | \`${integrity('static/icons.svg')}\` |`);
writeFileSync('static/VENDORED.md', `# Files from elsewhere

Copied by \`npm run assets\`; never edited by hand. Pages name the integrity value of each script.

| file | from | licence | home | integrity |
|---|---|---|---|---|
${rows.join('\n')}

The licence of Inter is in OFL.txt. app.css is compiled by \`npm run css\` from views/app.css with Tailwind CSS (MIT) and a few controls of daisyUI (MIT). app.js and favicon.svg are our own.
`);
