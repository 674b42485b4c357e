// Converts the names and streets of @faker-js/faker (MIT) into the files of engine/people/data/names, which are checked in: nothing that
// builds Seedloom needs Node or npm. To take over another version, in an empty folder:
//
//     npm install @faker-js/faker@10.6.0 any-ascii@0.3.3
//     node REPOSITORY/hack/people/convert.mjs .
//
// The same versions give the same bytes. any-ascii (ISC) writes names in ASCII letters, for e-mail addresses; readings.ja.txt says how
// Japanese names are read, and is ours, as are the places in engine/people/data/places, which are written by hand: a header with the forms
// of the country, and a line city|region|postcodes|size|codes for each place. In patterns, # is a digit, % one from 1 to 9, ? a letter, [2-5]
// one of some characters, and @ an area code. The codes are what national numbers have for the region, and, after a semicolon, the area
// codes of telephone numbers. A change of either gives users other persons for the same seed, which the test TestDrawsAreFrozen shows.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';

const here = dirname(fileURLToPath(import.meta.url));
const modules = process.argv[2];
if (!modules) throw new Error('usage: node convert.mjs FOLDER, in which @faker-js/faker and any-ascii are installed');
const require = createRequire(join(modules, 'package.json'));
const load = (name) => import(require.resolve(name));
const { allLocales } = await load('@faker-js/faker');
const anyAscii = (await load('any-ascii')).default;
const fakerFolder = join(modules, 'node_modules', '@faker-js', 'faker');
const version = JSON.parse(readFileSync(join(fakerFolder, 'package.json'))).version;
const data = join(here, '..', '..', 'engine', 'people', 'data');

// At most so many entries of a list are kept, spread evenly over it.
const mostNames = 1600, mostStreets = 400;
// Letters that a language writes in another way in ASCII than any-ascii does.
const spellings = {
  de: { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' }, da: { å: 'aa', ø: 'oe', æ: 'ae' }, nb: { å: 'aa', ø: 'oe', æ: 'ae' },
};
// How streets are called where faker has English ones only.
const streetPatterns = {
  vi_VN: ['Đường {{person.lastName}} {{person.firstName}}', 'Phố {{person.lastName}} {{person.firstName}}'],
  ne_NP: ['{{person.lastName}} मार्ग', '{{person.lastName}} टोल', '{{person.firstName}} मार्ग'],
  af_ZA: ['{{person.lastName}}straat', '{{person.lastName}}weg', '{{person.lastName}}laan'],
};
// Sources whose name is not the language, nor the locale itself.
const sources = { en_US: 'en', ar: 'ar', sr_RS: 'sr_RS_latin', uz_UZ: 'uz_UZ_latin' };

function chainOf(locale) {
  const language = locale.split('_')[0];
  return [sources[locale], locale, language, 'en'].filter((name, at, all) => allLocales[name] && all.indexOf(name) === at);
}

// entry looks a member up along the chain, as faker does.
function entry(chain, module, name) {
  for (const locale of chain) {
    const found = allLocales[locale][module]?.[name];
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

function spread(list, most) {
  const all = [...new Set(list.map((text) => text.normalize('NFC').replace(/\s+/g, ' ').trim()).filter((text) => text !== ''))];
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]);
}

function ascii(text, language) {
  const own = spellings[language] ?? {};
  const spelled = [...text.toLowerCase()].map((letter) => own[letter] ?? letter).join('');
  return anyAscii(spelled).toLowerCase().replace(/[^a-z0-9]/g, '');
}

// line is a name, and how it is written in ASCII where that is not seen from it.
function line(text, language) {
  return /^[\x20-\x7e]*$/.test(text) ? text : `${text}\t${ascii(text, language)}`;
}

// numbers is a generator of its own (mulberry32), so that the result is always the same.
function numbers(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function streetsOf(locale, chain, sections) {
  const next = numbers(7);
  const pick = (list) => list[Math.floor(next() * list.length)];
  const first = [...sections.female, ...sections.male].map((name) => name.split('\t')[0]);
  const last = [...sections.last, ...sections['last.male']].map((name) => name.split('\t')[0]);
  const patterns = (streetPatterns[locale] ?? entry(chain, 'location', 'street_pattern')).filter((pattern) => !/company\./.test(pattern));
  const names = entry(chain, 'location', 'street_name');
  if (patterns.length === 1 && patterns[0] === '{{location.street_name}}') return spread(names, mostStreets);
  const streets = [];
  for (let tries = 0; tries < mostStreets; tries++) {
    streets.push(pick(patterns).replace(/{{([^}]*)}}/g, (_, path) => {
      if (path.startsWith('person.first')) return pick(first);
      if (path.startsWith('person.last')) return pick(last);
      return pick(entry(chain, 'location', path.replace('location.', '')));
    }));
  }
  return spread(streets.filter((street) => !street.includes('{')), mostStreets);
}

// doubled says how many of the last names are two, and what stands between them.
function doubled(chain) {
  const patterns = entry(chain, 'person', 'last_name_pattern');
  const list = patterns?.generic ?? patterns?.female ?? [];
  const total = list.reduce((sum, one) => sum + one.weight, 0);
  const both = list.filter((one) => one.value.match(/{{/g).length > 1);
  if (both.length === 0) return '';
  const share = both.reduce((sum, one) => sum + one.weight, 0) / total;
  return `doubled: ${Math.round(share * 100)} ${JSON.stringify(both[0].value.match(/}}(.*){{/)[1])}\n`;
}

function sectionsOf(locale, chain) {
  const language = locale.split('_')[0];
  const names = (list) => spread(list ?? [], mostNames).map((name) => line(name, language));
  const first = entry(chain, 'person', 'first_name'), middle = entry(chain.slice(0, -1), 'person', 'middle_name') ?? {};
  const last = entry(chain, 'person', 'last_name');
  const own = locale === 'en_US' ? allLocales.en.person.middle_name : middle;
  return {
    female: names(first.female ?? first.generic), male: names(first.male ?? first.generic),
    last: last.female && last.male ? [] : names(last.generic), 'last.female': names(last.female), 'last.male': names(last.male),
    'middle.female': names(own.female ?? own.generic), 'middle.male': names(own.male ?? own.generic),
  };
}

// readings are the names of a file that says how they are read, as far as faker has them.
function readings(file, person) {
  const known = { female: person.first_name.female, male: person.first_name.male, last: person.last_name.generic };
  const sections = { 'last.female': [], 'last.male': [], 'middle.female': [], 'middle.male': [] };
  let section = '';
  for (const row of readFileSync(join(here, file), 'utf8').split('\n')) {
    if (row.startsWith('#') || row === '') continue;
    if (row.startsWith('[')) { section = row.slice(1, -1); sections[section] = []; continue; }
    for (const word of row.split(' ')) {
      const [name, reading] = word.split('=');
      if (section === 'streets') sections[section].push(name);
      else if (known[section].includes(name)) sections[section].push(`${name}\t${reading}`);
    }
  }
  return sections;
}

function headerOf(file) {
  const header = {};
  if (!existsSync(file)) return header;
  for (const row of readFileSync(file, 'utf8').split('\n')) {
    const found = row.match(/^([a-z]+): (.*)$/);
    if (found) header[found[1]] = found[2];
  }
  return header;
}

const wanted = new Set(['ar']);
for (const file of readdirSync(join(data, 'places')).sort()) {
  if (!headerOf(join(data, 'places', file)).names) wanted.add(file.replace('.txt', ''));
}
const target = join(data, 'names');
rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const locale of wanted) {
  const chain = chainOf(locale);
  const sections = locale === 'ja_JP' ? readings('readings.ja.txt', allLocales.ja.person) : sectionsOf(locale, chain);
  if (!headerOf(join(data, 'places', `${locale}.txt`)).streets) sections.streets ??= streetsOf(locale, chain, sections);
  let text = `# From @faker-js/faker ${version} (MIT, see LICENSE), by hack/people. Not to be edited.\n${doubled(chain)}`;
  for (const [name, list] of Object.entries(sections)) {
    if (list.length > 0) text += `[${name}]\n${list.join('\n')}\n`;
  }
  writeFileSync(join(target, `${locale}.txt`), text);
}
writeFileSync(join(target, 'LICENSE'), readFileSync(join(fakerFolder, 'LICENSE')));
