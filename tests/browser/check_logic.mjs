// What the page works out by itself: rates, what wants care, which rows of a list fit, ids of names, pasted tables, durations.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { need, page } from './page.mjs';

need('esbuild');
const { build } = await import(join(page, 'node_modules/esbuild/lib/main.js'));
const folder = mkdtempSync(join(tmpdir(), 'sluice-logic-'));

// The little of a browser that the modules look at when they are loaded.
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true });
globalThis.localStorage = { getItem: () => null, setItem: () => {} };
globalThis.matchMedia = () => ({ matches: false, addEventListener: () => {} });
globalThis.document = { documentElement: {} };
const timers = globalThis.setInterval;
globalThis.setInterval = (...given) => timers(...given).unref();

await build({
  stdin: {
    contents: ['api/rates', 'api/conditions', 'api/status', 'api/jobs', 'api/uplink', 'screens/devices/rows', 'screens/add-device/draft', 'screens/add-device/table', 'screens/buses/load', 'screens/system/restore', 'lib/format', 'lib/text']
      .map((module) => `export * from './src/${module}';`).join('\n'),
    resolveDir: page,
  },
  bundle: true, format: 'esm', platform: 'node', outfile: join(folder, 'logic.mjs'), jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'error',
});
const logic = await import(pathToFileURL(join(folder, 'logic.mjs')).href);
rmSync(folder, { recursive: true });
await logic.speak();

const device = (id, more = {}) => ({ id, name: '', profile: '', up: true, requests: 10, replies: 9, bus_percent: 5, ...more });
const bus = (id, devices, more = {}) => ({ id, driver: 'modbus-rtu', error: '', devices, ...more });
const status = (more) => ({
  journal: { error: '' }, clock: { trust: 'synchronised' }, config: {}, buses: [], uplinks: [], consumers: {}, ...more,
});
const keys = (now) => logic.conditions(now).map(({ key, level }) => `${level} ${key}`);

const tests = {
  'a rate is what a counter rose by in the window'() {
    const rates = new logic.Rates();
    assert.equal(rates.of('a'), null);
    for (let s = 0; s <= 30; s++) rates.take('a', s < 20 ? 100 * s : 2000 + 10 * (s - 20), 1000 * s);
    assert.equal(rates.of('a'), 10);
    assert.equal(rates.trail('a').length, 30);
  },
  'a counter that begins anew has no negative rate'() {
    const rates = new logic.Rates();
    for (let s = 0; s < 5; s++) rates.take('a', 1000 + s, 1000 * s);
    rates.take('a', 3, 5000);
    assert.equal(rates.of('a'), null);
    rates.take('a', 5, 6000);
    assert.equal(rates.of('a'), 2);
  },
  'nothing wants care where everything works'() {
    assert.deepEqual(keys(status({ buses: [bus('b', [device('d')])] })), []);
  },
  'a line on which nothing answers is one trouble, devices are one each, and the worst is first'() {
    const down = { up: false, why: 'timeout' };
    assert.deepEqual(keys(status({ buses: [bus('b', [device('x', down), device('y', down)])] })), ['down bus/b']);
    assert.deepEqual(keys(status({ clock: { trust: 'unset' }, buses: [bus('b', [device('x', down), device('y')])] })), ['down device/x', 'look clock']);
    assert.deepEqual(keys(status({ buses: [bus('b', [device('x', { up: false })])] })), [], 'not asked yet');
  },
  'many devices that are down are a few lines and a number'() {
    const many = Array.from({ length: 9 }, (_, i) => device(`d${i}`, { up: false, why: 'timeout' }));
    assert.deepEqual(keys(status({ buses: [bus('b', [...many, device('well')])] })).slice(-1), ['down more/b']);
    assert.equal(keys(status({ buses: [bus('b', [...many, device('well')])] })).length, 5);
  },
  'a lent line is paused and its devices are not counted as down'() {
    assert.deepEqual(keys(status({ buses: [bus('b', [device('x', { up: false, why: 'lent' })], { lent: { to: 'scan', for_ms: 1 } })] })), ['paused lent/b']);
  },
  'a broker that is away tells how much is kept for it'() {
    const now = status({ uplinks: [{ id: 'c', state: 'waiting', error: 'refused', alarm: '', since: 1 }], consumers: { 'uplink/c': { pending: 1234 } } });
    assert.match(logic.conditions(now)[0].next, /1,234 events/);
  },
  'a broker whose certificate is not trusted here has not refused anybody'() {
    const word = (cause, state = 'refused') => logic.uplinkWord({ state, cause });
    assert.match(word('untrusted'), /does not trust/);
    assert.match(word('refused'), /^refused by the broker$/);
    assert.match(word('something new'), /^refused by the broker$/);
    assert.match(word('name', 'waiting'), /name/);
    assert.match(word('', 'online'), /^connected$/);
  },
  'a sentence of the gateway has a capital and no program before it, and names stay as they are'() {
    assert.equal(logic.said('sluice scan: two masters on a line\n'), 'Two masters on a line');
    assert.equal(logic.said('sluice: the daemon does not answer'), 'The daemon does not answer');
    assert.equal(logic.said('uplinks[0].url: expected is mqtt://'), 'uplinks[0].url: expected is mqtt://');
    assert.equal(logic.said('/dev/ttyUSB0 is gone'), '/dev/ttyUSB0 is gone');
    assert.equal(logic.said('öl is low'), 'Öl is low');
  },
  'a number of many noughts is short, and a large counter is whole'() {
    assert.equal(logic.number(-5.4123456e36), '-5.412E36');
    assert.equal(logic.number(5e36, 1), '5E36');
    assert.equal(logic.number(-1.2e-38), '-1.2E-38');
    assert.deepEqual([0, 0.001, 281_474_976_710_655].map((value) => logic.number(value)), ['0', '0.001', '281,474,976,710,655']);
    assert.equal(logic.number(0.0000001, 2), '0.00');
  },
  'a backup is sent as the document that it is, and anything else as the text of a template'() {
    const backup = { kind: 'sluice-backup', schema: 1 };
    assert.deepEqual(logic.restoreBody(JSON.stringify(backup), 'three short words'), { backup, passphrase: 'three short words' });
    assert.deepEqual(logic.restoreBody(JSON.stringify(backup), ''), { backup });
    for (const text of ['{"gateway":{}}', '{ // with words\n}', 'null']) assert.deepEqual(logic.restoreBody(text, 'x'), { template: text });
  },
  'the list finds devices by several words and points within them'() {
    const buses = [bus('b', [device('boiler', { name: 'Kessel' }), device('pump')])];
    const points = new Map([['boiler/flow', { d: 'boiler', p: 'flow', name: 'Durchfluss' }], ['boiler/temp', { d: 'boiler', p: 'temp' }], ['pump/temp', { d: 'pump', p: 'temp' }]]);
    const rows = (search, more) => logic.listRows(buses, points, { search, troubles: false, brief: false, ...more }).map((row) => row.key);
    assert.deepEqual(rows(''), ['boiler', 'boiler/flow', 'boiler/temp', 'pump', 'pump/temp']);
    assert.deepEqual(rows('kessel'), ['boiler', 'boiler/flow', 'boiler/temp']);
    assert.deepEqual(rows('durchfluss'), ['boiler', 'boiler/flow']);
    assert.deepEqual(rows('temp boiler'), ['boiler', 'boiler/temp']);
    assert.deepEqual(rows('', { troubles: true }), []);
    assert.deepEqual(rows('', { brief: true }), ['boiler', 'pump']);
  },
  'an id is made of a name in any language, and is free'() {
    assert.equal(logic.idOf('Große Wärmepumpe, Halle 3'), 'grosse-waermepumpe-halle-3');
    assert.equal(logic.idOf('Étage n° 2'), 'etage-n-2');
    assert.equal(logic.idOf('x'.repeat(60)).length, 40);
    assert.equal(logic.freeId('meter', ['meter', 'meter-2']), 'meter-3');
  },
  'a new device brings its line along where there is none'() {
    const draft = { place: { port: '/dev/ttyUSB0', line: '9600 8E1' }, unit: 7, profile: 'abb-b2x', id: 'meter', name: 'Meter' };
    const edits = logic.editsOf(draft, { parsed: { buses: [{ id: 'ttyusb0', driver: 'serial' }] } });
    assert.deepEqual(edits[0].add, { id: 'ttyusb0-2', driver: 'modbus-rtu', port: '/dev/ttyUSB0', line: '9600 8E1' });
    assert.deepEqual(edits[1].add, { id: 'meter', name: 'Meter', bus: 'ttyusb0-2', unit: 7, profile: 'abb-b2x' });
    assert.equal(logic.editsOf({ ...draft, place: { bus: 'rs485-1', driver: 'modbus-rtu', on: 'x' } }, { parsed: {} }).length, 1);
  },
  'what is found on a line is known by its unit, and only a line that is read is taken away from somebody'() {
    const config = { parsed: { devices: [{ id: 'm', bus: 'b', unit: 3 }, { id: 'n', bus: 'b' }, { id: 'o', bus: 'net', unit: 3 }] } };
    const at = (bus, driver = 'modbus-rtu') => ({ bus, driver, on: 'x' });
    assert.deepEqual([3, 1, 4].map((unit) => logic.deviceAt(config, at('b'), unit)?.id), ['m', 'n', undefined]);
    assert.equal(logic.deviceAt(config, { port: '/dev/ttyUSB0', line: '' }, 3), undefined);
    assert.deepEqual([at('b'), at('free'), at('net', 'modbus-tcp'), { host: 'x' }].map((place) => logic.isPolled(config, place)), [true, false, false, false]);
  },
  'a table is read with tabs, semicolons or commas, and tells its wrong lines'() {
    for (const separator of ['\t', ';', ',']) {
      const text = [['id', 'reg', 'scale', 'name'], ['u1', '100', '0.1', '"Spannung"'], ['', '101', '', '']].map((row) => row.join(separator)).join('\r\n');
      assert.deepEqual(logic.readTable(text), { points: [{ id: 'u1', reg: 100, scale: 0.1, name: 'Spannung' }], wrong: [3] });
    }
    assert.equal(logic.readTable('id;reg;name\na;1;"x; ""y"""').points[0].name, 'x; "y"');
    assert.deepEqual(logic.readTable(''), { points: [], wrong: [] });
  },
  'an object of a job comes in one line or in many'() {
    const objects = logic.joiner();
    assert.deepEqual(['{"a":1}', '{', ' "b": [', '  2', ' ]', '}', '{"c":3}'].map(objects.add).filter(Boolean), [{ a: 1 }, { b: [2] }, { c: 3 }]);
    objects.add('{ "half":');
    objects.clear();
    assert.deepEqual(objects.add('{}'), {});
  },
  'a line is judged by how much of it is taken'() {
    assert.deepEqual([0, 40, 70, 95].map(logic.verdict), ['idle', 'fits', 'tight', 'full']);
  },
  'durations and sizes are said in the units that matter'() {
    assert.deepEqual([3_000, 250_000, 1_800_000, 7_500_000, 200_000_000].map(logic.duration), ['3 s', '4 min 10 s', '30 min', '2 h 5 min', '2 d']);
    assert.deepEqual([512, 1_536, 8 * 2 ** 30].map(logic.bytes), ['512 B', '1.5 KiB', '8.0 GiB']);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    test();
    console.log('ok', name);
  } catch (error) {
    failed++;
    console.log('FAILED', name, error.message);
  }
}
process.exit(failed ? 1 : 0);
