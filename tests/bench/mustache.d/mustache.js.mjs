// The same as mustache_bench with mustache.js: node mustache.js.mjs FOLDER-OF-THE-PACKAGE TEMPLATE MODEL
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [folder, templateFile, modelFile] = process.argv.slice(2);
const mustache = createRequire(`${folder}/`)('mustache');
const template = readFileSync(templateFile, 'utf8');
const model = JSON.parse(readFileSync(modelFile, 'utf8'));
const rounds = 200;
const roundNs = 5e6;
const now = () => Number(process.hrtime.bigint());

// mustache.js caches what it has parsed: this renders compiled templates, too.
let out = '';
const warm = now();
while (now() - warm < 20 * roundNs)
	out = mustache.render(template, model);
let count = 0;
const begun = now();
for (; now() - begun < roundNs; count++)
	out = mustache.render(template, model);
let least = Infinity;
for (let round = 0; round < rounds; round++) {
	const start = now();
	for (let i = 0; i < count; i++)
		out = mustache.render(template, model);
	least = Math.min(least, (now() - start) / count);
}
process.stdout.write(`${Math.round(least)}\n${out}`);
