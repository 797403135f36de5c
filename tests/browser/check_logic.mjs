// What the page works out by itself: rates, what wants care, which rows of a list fit, ids of names, pasted tables, durations.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { need, page } from './page.mjs';

need('esbuild');
const { build } = await import(join(page, 'node_modules/esbuild/lib/main.js'));
const { packPhrases } = await import(join(page, 'build.mjs'));
const folder = mkdtempSync(join(tmpdir(), 'sluice-logic-'));

// The little of a browser that the modules look at when they are loaded.
Object.defineProperty(globalThis, 'navigator', { value: { languages: ['en'] }, configurable: true });
globalThis.localStorage = { getItem: () => null, setItem: () => {} };
globalThis.matchMedia = () => ({ matches: false, addEventListener: () => {} });
globalThis.document = { documentElement: {} };
globalThis.location = { hash: '#/%' };
globalThis.history = { replaceState: () => {} };
globalThis.scrollY = 0;
const hearers = {};
globalThis.addEventListener = (kind, hearer) => (hearers[kind] = hearer);
const timers = globalThis.setInterval;
globalThis.setInterval = (...given) => timers(...given).unref();

await build({
  stdin: {
    contents: ['app/router', 'api/audit', 'api/rates', 'api/conditions', 'api/status', 'api/jobs', 'api/uplink', 'screens/devices/rows', 'screens/devices/row', 'screens/add-device/draft', 'screens/add-device/table', 'screens/add-device/register', 'screens/add-device/library', 'screens/device/write', 'parts/value', 'parts/field', 'screens/first-run/gateway-step', 'screens/device/answers', 'screens/buses/load', 'screens/system/restore', 'screens/history/trail', 'screens/device/frames', 'screens/settings/usual', 'screens/settings/points', 'api/options', 'screens/uplinks/judged', 'screens/uplinks/subscribe', 'parts/chart', 'lib/clock', 'lib/format', 'lib/phrases', 'lib/text']
      .map((module) => `export * from './src/${module}';`).join('\n'),
    resolveDir: page,
  },
  bundle: true, format: 'esm', platform: 'node', outfile: join(folder, 'logic.mjs'), jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'error',
  plugins: [{ name: 'said', setup: ({ onLoad }) => onLoad({ filter: /said\.[a-z]+\.json$/ }, ({ path }) => ({ contents: JSON.stringify(packPhrases(JSON.parse(readFileSync(path, 'utf8')))), loader: 'json' })) }],
});
const logic = await import(pathToFileURL(join(folder, 'logic.mjs')).href);
rmSync(folder, { recursive: true });
await logic.speak();

const device = (id, more = {}) => ({ id, name: '', profile: '', points: 13, bad: 0, implausible: 0, up: true, requests: 10, replies: 9, bus_percent: 5, learnt: {}, ...more });
const bus = (id, devices, more = {}) => ({ id, driver: 'modbus-rtu', error: '', devices, ...more });
const status = (more) => ({
  journal: { error: '' }, clock: { trust: 'synchronised' }, config: {}, buses: [], uplinks: [], consumers: {}, ...more,
});
const keys = (now) => logic.conditions(now).map(({ key, level }) => `${level} ${key}`);

const tests = {
  'a model is said to be compared with a display only where that was done'() {
    const word = (confidence, unverified = false) => logic.trusted({ confidence, unverified });
    assert.deepEqual([word('high'), word('medium', true), word('medium'), word('')], ['library.sure', 'library.unverified', 'library.verified', null]);
  },
  'a receiver\'s time is told as a time of day, and seconds as seconds'() {
    const now = new Date(), noon = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12, 34, 56).getTime() / 1000;
    const shown = (v, unit, decimals) => [logic.written({ unit, decimals, type: 'number' }, { v, q: 'good', t: 1 }), logic.unitOf({ unit, type: 'number' }, v)];
    assert.deepEqual(shown(noon, 's', 2), ['12:34:56', '']);
    assert.match(shown(noon - 7 * 86_400, 's', 2)[0], /^\d+ \w+, 12:34$/);
    assert.deepEqual([shown(86_400, 's'), shown(noon, 'Wh'), shown(null, 's')], [['86,400', 's'], [logic.number(noon), 'Wh'], ['—', '']]);
    const series = { avg: [noon, noon + 2], min: [noon, noon + 1], max: [noon + 1, noon + 3] };
    assert.equal(logic.courseInWords(series, 's'), '12:34:56 to 12:34:59, mean 12:34:57');
  },
  'a value beyond the limits of its point is not sent'() {
    const beyond = (write, ...values) => values.map((value) => logic.isOutside({ write }, value));
    assert.deepEqual(beyond({ min: 0, max: 100 }, -1, 0, 100, 500, null), [true, false, false, true, false]);
    assert.deepEqual([beyond({ max: 9 }, -500, 10), beyond({}, 1e9), beyond({ max: 9 }, 'ten')], [[false, true], [false], [false]]);
  },
  'an id may be as long as the gateway takes it, and an account\'s name as long as that'() {
    const fits = (id, ...most) => new RegExp(`^(?:${logic.idField(...most).pattern})$`, 'v').test(id);
    assert.deepEqual([fits('a'.repeat(63)), fits('a'.repeat(64)), fits('plant-7_b'), fits('Plant'), fits('a'.repeat(40), 40), fits('a'.repeat(41), 40)], [true, false, true, false, true, false]);
  },
  'a value that can hardly be is one more that is not good, wherever they are counted'() {
    const one = device('m', { implausible: 2 }), line = bus('b', [one, device('n', { bad: 1 }), device('o', { bad: 4, up: false })]);
    assert.deepEqual([logic.notGood(one), logic.sumBus(line).bad, keys(status({ buses: [line] }))], [2, 3, ['look bad/m', 'look bad/n']]);
    assert.deepEqual([logic.deviceWord({ device: one, bus: line }), logic.deviceLevel({ device: one, bus: line })], ['2 of 13 not good', 'look']);
    assert.deepEqual(logic.listRows([line], new Map(), { search: '', troubles: true, brief: true }).map((row) => row.key), ['m', 'n', 'o']);
  },
  'an address in which a percent sign stands for itself is one all the same'() {
    const at = (hash) => {
      location.hash = hash;
      hearers.hashchange();
      return logic.place.get().path;
    };
    assert.deepEqual(logic.place.get().path, ['%'], 'with which the page was loaded');
    assert.deepEqual([at('#/devices/100%/a%2Fb?q=%'), at('#/devices/k%C3%A4lte'), at('#')], [['devices', '100%', 'a/b'], ['devices', 'kälte'], []]);
    assert.deepEqual(logic.wordsOf('did=x comment=100% by=a%20b =y'), { did: 'x', comment: '100%', by: 'a b' });
  },
  'the address of a broker is read as the gateway reads it, and what is none yet has no command'() {
    const told = (url, more) => logic.subscribeCommand({ url, topic: 'sluice/#', ...more });
    for (const url of ['', 'mqtts://', 'mqtts://[', 'mqtts://[fd00::1', 'mqtts://[]', 'mqtts://a:', 'mqtts://a:99999', 'mqtts://a:0', 'mqtts://a:80x', 'mqtts://a/b', 'mqtts://me@a', 'mqtts://a b', 'mqtts://?', 'http://a'])
      assert.deepEqual([logic.brokerAt(url), told(url)], [null, ''], url);
    const at = (url) => Object.values(logic.brokerAt(url));
    assert.deepEqual([at('mqtt://a'), at('mqtts://1.2.3.256/'), at('mqtts://a:443'), at('mqtts://[fd00::1]:8884')], [['a', 1883, false], ['1.2.3.256', 8883, true], ['a', 443, true], ['fd00::1', 8884, true]]);
    assert.equal(told('mqtts://[fd00::1]'), "mosquitto_sub -h fd00::1 -p 8883 --capath /etc/ssl/certs -v -t 'sluice/#'");
    assert.equal(told('mqtt://x;reboot$(id)', { user: "o'b" }), "mosquitto_sub -h 'x;reboot$(id)' -p 1883 -u 'o'\\''b' -P 'PASSWORD' -v -t 'sluice/#'");
  },
  'a certificate is told with how long it holds'() {
    const DAY = 86_400_000, one = (from, until, issuer = 'CN=ca') => logic.judged({ kind: 'certificates', subject: 'CN=me', issuer, from: from * DAY, until: until * DAY }, 100 * DAY)[0];
    assert.deepEqual([one(0, 99), one(101, 400), one(0, 129), one(0, 131), one(0, 131, 'CN=me')], ['down', 'look', 'look', 'up', 'up']);
    assert.deepEqual(logic.judged({ kind: 'key', sentence: 'a private key (EC, 256 bits)' }), ['up', 'A private key (EC, 256 bits)']);
  },
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
  'bad values of a device that answers are told: how many, and why'() {
    const learnt = { points: [{ id: 'p', why: 'exception 2', help: '' }] }, some = device('m', { name: 'Meter', bad: 6, learnt });
    const [found, ...rest] = logic.conditions(status({ buses: [bus('b', [some, device('x')])] }));
    assert.deepEqual([found.level, found.what, rest.length], ['look', 'Meter: 6 of 13 values not good.', 0]);
    assert.match(found.why, /no such register/);
    assert.match(found.next, /leave out/);
    assert.equal(logic.conditions(status({ buses: [bus('b', Array.from({ length: 9 }, (_, i) => device(`d${i}`, { bad: 1, implausible: 1 })))] })).at(-1).what, 'b: 10 of 65 values not good.');
    const down = (more) => logic.conditions(status({ buses: [bus('b', [device('m', { up: false, why: 'timeout', ...more })])] }))[0].next;
    assert.match(down({}), /Check power/);
    assert.equal(down({ late_ms: 712 }), 'It answers 712\u00a0ms after it was asked: raise its time-out.');
    const [one] = logic.conditions(status({ buses: [bus('b', [device('m', { bad: 1 })])] }));
    assert.deepEqual([one.what, one.why], ['m: 1 of 13 values not good.', '']);
    const odd = device('m', { bad: 1, implausible: 2, doubt: 'has hardly a point that fits' });
    const [other] = logic.conditions(status({ buses: [bus('b', [odd])] }));
    assert.deepEqual([other.what, other.why, other.next], ['m: 3 of 13 values not good.', 'implausible', 'Hardly anything fits: is it another model?']);
    assert.deepEqual(keys(status({ buses: [bus('b', [device('m', { bad: 6, up: false }), device('x')])] })), [], 'one that does not answer has no values');
    assert.equal(keys(status({ buses: [bus('b', Array.from({ length: 9 }, (_, i) => device(`d${i}`, { bad: 1 })))] })).at(-1), 'look bad/more/b');
    assert.deepEqual([logic.isUnset(status({ buses: [bus('b', [])] })), logic.isUnset(status({ buses: [bus('b', [some])] }))], [true, false]);
  },
  'an exception is an error on the page of a device as it is in the report'() {
    const counted = { requests: 80, replies: 80, exceptions: 24 };
    assert.equal(logic.answeredWell(counted), 0.7);
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
  'a sentence of the gateway is told in another language by its form, with what is in it'() {
    const phrases = { 'the broker is busy': 'der Broker ist ausgelastet', 'uplink {}: {}': 'Broker {}: {}', 'over: {}': 'vorbei: {}', 'its configuration has {} mistake{}; {}': '{3} (Fehler: {1})' };
    // As it is loaded: what has nothing to fill in has lost its English.
    const packed = packPhrases(phrases);
    assert.ok(!JSON.stringify(packed).includes('busy') && JSON.stringify(packed).includes('over: {}') && JSON.stringify(packed).includes('"its ~'));
    assert.throws(() => packPhrases({ 'sentence 1149599': '', 'sentence 1312382': '' }), /one mark/);
    logic.learn(packed);
    assert.equal(logic.said('sluice doctor: the broker is busy'), 'Der Broker ist ausgelastet');
    assert.equal(logic.phrase('uplink cloud: over: the broker is busy'), 'Broker cloud: vorbei: der Broker ist ausgelastet');
    assert.equal(logic.phrase('its configuration has 2 mistakes; line 3'), 'line 3 (Fehler: 2)');
    assert.equal(logic.phrase('something new'), null);
    assert.equal(logic.said('something new'), 'Something new');
    // Half of it would help nobody; a name is no sentence.
    assert.deepEqual(['over: it burns again', 'over: main incomer', 'uplink cloud: over: it burns again'].map(logic.phrase), [null, 'vorbei: main incomer', null]);
    logic.learn(packed, true);
    assert.equal(logic.phrase('over: it burns again'), 'vorbei: it burns again');
    logic.learn();
  },
  async 'where the gateway names the command that looks for devices, the page names its button, and the rest is told whole'() {
    const help = 'the connection stands, and no answer came in time: is the unit right? sluice scan 10.0.7.20:5020 finds who answers';
    const [english, german] = [[], []];
    for (const [language, said] of [['de', german], ['en', english]]) {
      await logic.speakIn(language);
      said.push(...[
        'the bus is lent to a program such as sluice scan; it comes back by itself',
        'sluice node: unit 7 at /dev/ttyUSB0 does not answer (timeout). sluice scan /dev/ttyUSB0 shows who does',
        'nothing came in time: check power, wiring and line settings; sluice scan /dev/ttyUSB0 --frames ascii finds who answers at which settings',
        'nothing came in time: check power, wiring and line settings: is the unit right? sluice scan 10.0.7.20 finds who answers',
        help,
        'no answer came in time through the device server: are the unit and its line settings right? sluice scan 10.0.7.20:4001 --frames rtu finds who answers',
        'it does not answer as unit 7 at 9600 8N1: look for it with sluice scan',
        `sluice probe: the device does not answer: ${help}`,
        `sluice read: unit 7: timeout: ${help}`,
      ].map(logic.said));
    }
    assert.deepEqual(english, [
      'The bus is lent to a program such as sluice scan; it comes back by itself',
      'Unit 7 at /dev/ttyUSB0 does not answer (timeout). “Look for it” shows who does',
      'Nothing came in time: check power, wiring and line settings; “Look for it” finds who answers at which settings',
      'Nothing came in time: check power, wiring and line settings: is the unit right? “Look for it” finds who answers',
      'The connection stands, and no answer came in time: is the unit right? “Look for it” finds who answers',
      'No answer came in time through the device server: are the unit and its line settings right? “Look for it” finds who answers',
      'It does not answer as unit 7 at 9600 8N1: look for it',
      'The device does not answer: the connection stands, and no answer came in time: is the unit right? “Look for it” finds who answers',
      'Unit 7: timeout: the connection stands, and no answer came in time: is the unit right? “Look for it” finds who answers',
    ]);
    assert.deepEqual(german, [
      'Die Leitung ist verliehen; sie kommt von selbst zurück',
      'Einheit 7 an /dev/ttyUSB0 antwortet nicht (keine Antwort in der Zeit). „Danach suchen“ zeigt, wer antwortet',
      'Es kam nichts in der Zeit: Spannung, Verdrahtung und Schnittstellen-Einstellung prüfen; „Danach suchen“ findet, wer bei welcher Einstellung antwortet',
      'Es kam nichts in der Zeit: Spannung, Verdrahtung und Schnittstellen-Einstellung prüfen: Stimmt die Nummer? „Danach suchen“ findet, wer antwortet',
      'Die Verbindung steht, aber es kam keine Antwort: Stimmt die Nummer? „Danach suchen“ findet, wer antwortet',
      'Durch den Geräteserver kam keine Antwort: Stimmen Nummer und Leitung? „Danach suchen“ findet, wer antwortet',
      'Es antwortet nicht als Nummer 7 bei 9600 8N1: danach suchen',
      'Das Gerät antwortet nicht: die Verbindung steht, aber es kam keine Antwort: Stimmt die Nummer? „Danach suchen“ findet, wer antwortet',
      'Nummer 7: keine Antwort in der Zeit: die Verbindung steht, aber es kam keine Antwort: Stimmt die Nummer? „Danach suchen“ findet, wer antwortet',
    ]);
  },
  'a number or an id is no sentence, whatever its mark is'() {
    const sentences = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`sentence number ${i}`, `Satz ${i}`]));
    logic.learn(packPhrases({ ...sentences, 'empty': 'leer', 'port {} of {}: {}': 'Port {} von {}: {}' }));
    for (let i = 0; i < 65_536; i++) assert.deepEqual([logic.phrase(`${i}`), logic.phrase(`rs485-${i}`)], [null, null], `${i}`);
    assert.equal(logic.phrase('port 36243 of rs485-928: empty'), 'Port 36243 von rs485-928: leer');
    assert.equal(logic.phrase('port 1 of b: sentence number 7'), 'Port 1 von b: Satz 7');
    logic.learn();
  },
  'who did what is a sentence'() {
    assert.equal(logic.trailInWords('did=login by=anna from=192.168.7.20'), 'anna from 192.168.7.20: logged in');
    assert.equal(logic.trailInWords('did=account-set by=anna from=socket name=ben role=operator'), 'anna on the gateway itself: set an account (name ben, role operator)');
    assert.equal(logic.trailInWords('did=config-applied by=anna from=::1 comment=Add%20a%20device'), 'anna from ::1: applied a change on trial (comment Add a device)');
    assert.equal(logic.trailInWords('did=job-started by=anna from=::1 job=scan%20--json%20--socket%20%2Ftmp%2Fs%20--%20127.0.0.1%3A502'), 'anna from ::1: started a job: Look for it (127.0.0.1:502)');
    assert.equal(logic.trailInWords('did=job-started by=anna from=::1 job=brew%20--json'), 'anna from ::1: started a job: brew');
    assert.match(logic.trailInWords('did=clock-set by=anna from=::1 t=1795806626625'), /: set the clock \(.*2026.*\)$/);
    assert.equal(logic.trailInWords('9f2c61d0'), 'configuration 9f2c61d0 is in force');
  },
  'a frame is a sentence'() {
    const words = (frame) => logic.frameInWords({ unit: 7, function: 3, name: 'read holding registers', ...frame });
    assert.equal(words({ way: 'request', address: 100, count: 2 }), 'asks unit 7: read holding registers from 100 × 2');
    assert.equal(words({ way: 'reply', values: [1, 65535], took_us: 4100, answers: true }), 'unit 7 answers: 1 65535 after 4.1\u00a0ms');
    assert.equal(words({ way: 'reply', values: [1], pause_us: 52100, answers: true }), 'unit 7 answers: 1 in lumps, 52.1\u00a0ms apart');
    assert.match(words({ way: 'reply', exception: 2, answers: true }), /no such register/);
    assert.match(logic.frameInWords({ way: 'garbage', size: 3, hex: '00ff01' }), /^3 bytes that are no frame: 00ff01/);
  },
  'an entry is one level of keys, and what has no place there stays as it is'() {
    const options = new Map([['id', {}], ['every', {}], ['write', {}], ['write.min', { type: 'number' }], ['report.dead_band', { type: ['number', 'string'] }], ['enum', { type: 'object', additionalProperties: {} }], ['was', { type: 'array' }]]);
    const entry = { id: 'p', every: '1s', write: { min: 0 }, report: { dead_band: '2%' }, enum: { 0: 'off' }, exchange: [{ send: 'x' }] };
    const fields = logic.flat(entry, options);
    assert.deepEqual(fields, { 'id': 'p', 'every': '1s', 'write': true, 'write.min': 0, 'report.dead_band': '2%', 'enum': { 0: 'off' } });
    const at = ['devices', { id: 'd' }, 'points', { id: 'p' }];
    assert.deepEqual(logic.editsOfForm('points', at, entry, fields, options, {}), []);
    const { every: ___, ...rest } = fields;
    assert.deepEqual(logic.editsOfForm('points', at, entry, { ...rest, id: 'q' }, options, {}).map(({ at: [, , , , key], ...what }) => [key, what]), [
      ['every', { remove: true }], ['was', { set: ['p'] }], ['id', { set: 'q' }],
    ]);
    const { 'write': _, 'write.min': __, ...closed } = fields;
    assert.deepEqual(logic.editsOfForm('points', at, entry, closed, options, {}), [{ at: [...at, 'write'], remove: true }]);
  },
  'what is written in a form is what the option takes'() {
    const value = (text, option) => logic.fromText(text, option);
    assert.deepEqual([value('0,5', { type: 'number' }), value('2%', { type: ['number', 'string'] }), value('0.5', { type: ['number', 'string'] })], [0.5, '2%', 0.5]);
    assert.deepEqual([value('a|b', { type: 'array', items: { type: 'string' } }), value('0=off|1=auto', { type: 'object' }), value('true', { type: 'boolean' })], [['a', 'b'], { 0: 'off', 1: 'auto' }, true]);
    assert.deepEqual([value('7', { type: 'string' }), value('x', { type: 'integer' })], ['7', 'x'], 'what does not fit is for the gateway to refuse');
  },
  'a line goes with its devices, and a point of a profile is left out of those that are read'() {
    const parsed = { devices: [{ id: 'd', bus: 'b' }, { id: 'e', bus: 'c' }] };
    assert.deepEqual(logic.editsToRemove('buses', 'b', parsed).map(({ at }) => at), [['devices', { id: 'd' }], ['buses', { id: 'b' }]]);
    assert.deepEqual(logic.editsWithoutPoint({ id: 'd', profile: 'x' }, 'u', ['u', 'i']), [{ at: ['devices', { id: 'd' }, 'only'], set: ['i'] }]);
    assert.deepEqual(logic.editsWithoutPoint({ id: 'd', points: [{ id: 'u' }] }, 'u', ['u']), [{ at: ['devices', { id: 'd' }, 'points', { id: 'u' }], remove: true }]);
  },
  'a device like another has all of it but who and where it is, and the next free unit'() {
    const config = { parsed: { buses: [{ id: 'b', driver: 'modbus-rtu', port: '/dev/x' }], devices: [{ id: 'm', name: 'M', bus: 'b', unit: 3, profile: 'p', report: { on_change: true } }, { id: 'n', bus: 'b', unit: 4 }] } };
    const draft = { ...logic.alike(config.parsed.devices[0], config), id: 'o', name: 'O' };
    assert.equal(draft.unit, 5);
    assert.equal(logic.editsOf({ ...draft, every: '1,5s' }, config)[0].add.every, '1.5s');
    assert.deepEqual(logic.editsOf(draft, config), [{ at: ['devices'], add: { id: 'o', name: 'O', bus: 'b', unit: 5, report: { on_change: true }, profile: 'p' } }]);
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
    const template = { kind: 'sluice-template', schema: 1 };
    assert.deepEqual(logic.restoreBody(JSON.stringify(template), 'x'), { template });
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
    const ill = [bus('b', [device('boiler', { bad: 1 }), device('pump', { up: false, bad: 0 }), device('fan')])];
    assert.deepEqual(logic.listRows(ill, points, { search: '', troubles: true, brief: true }).map((row) => row.key), ['boiler', 'pump']);
    assert.deepEqual(rows('', { brief: true }), ['boiler', 'pump']);
  },
  'an id is made of a name in any language, and is free'() {
    assert.equal(logic.idOf('Große Wärmepumpe, Halle 3'), 'grosse-waermepumpe-halle-3');
    assert.equal(logic.idOf('Étage n° 2'), 'etage-n-2');
    assert.equal(logic.idOf('x'.repeat(60)).length, 40);
    assert.equal(logic.freeId('meter', ['meter', 'meter-2']), 'meter-3');
  },
  'a new device brings its line along where there is none'() {
    const draft = { place: { port: '/dev/ttyUSB0', line: '9600 8E1', driver: 'modbus-rtu' }, unit: 7, profile: 'abb-b2x', id: 'meter', name: 'Meter' };
    const edits = logic.editsOf(draft, { parsed: { buses: [{ id: 'ttyusb0', driver: 'serial' }] } });
    assert.deepEqual(edits[0].add, { id: 'ttyusb0-2', driver: 'modbus-rtu', port: '/dev/ttyUSB0', line: '9600 8E1' });
    assert.deepEqual(edits[1].add, { id: 'meter', name: 'Meter', bus: 'ttyusb0-2', unit: 7, profile: 'abb-b2x' });
    const sensor = logic.editsOf({ ...draft, place: { port: '/dev/ttyUSB1', line: '4800 8N1', driver: 'serial' }, profile: 'nmea-0183-gnss' }, { parsed: {} });
    assert.deepEqual(sensor.map(({ add }) => add), [{ id: 'ttyusb1', driver: 'serial', port: '/dev/ttyUSB1', line: '4800 8N1' }, { id: 'meter', name: 'Meter', bus: 'ttyusb1', profile: 'nmea-0183-gnss' }]);
    assert.equal(logic.editsOf({ ...draft, place: { bus: 'rs485-1', driver: 'modbus-rtu', on: 'x' } }, { parsed: {} }).length, 1);
  },
  'what is found on a line is known by its unit, and only a line that is read is taken away from somebody'() {
    const config = { parsed: { devices: [{ id: 'm', bus: 'b', unit: 3 }, { id: 'n', bus: 'b' }, { id: 'o', bus: 'net', unit: 3 }] } };
    const at = (bus, driver = 'modbus-rtu') => ({ bus, driver, on: 'x' });
    assert.deepEqual([3, 1, 4].map((unit) => logic.deviceAt(config, at('b'), unit)?.id), ['m', 'n', undefined]);
    assert.equal(logic.deviceAt(config, { port: '/dev/ttyUSB0', line: '', driver: 'modbus-rtu' }, 3), undefined);
    const net = { id: 'net', driver: 'modbus-tcp', host: '10.0.7.20:502' }, lines = { parsed: { buses: [{ id: 'b', driver: 'modbus-rtu', port: '10.0.7.21' }, net] } };
    assert.deepEqual(['10.0.7.20', ' 10.0.7.20:502 ', '10.0.7.20:503', '10.0.7.21', ''].map((host) => logic.busAt(lines, host)), [net, net, undefined, undefined, undefined]);
    assert.deepEqual([at('b'), at('free'), at('net', 'modbus-tcp'), { host: 'x' }].map((place) => logic.isPolled(config, place)), [true, false, false, false]);
  },
  'registers are counted as in manuals, or from 0 in a table'() {
    assert.deepEqual([30_001, 40_001, 49_999, 300_001, 465_536].map(logic.isManual), [true, true, true, true, true]);
    assert.deepEqual([0, 7, 9_999, 30_000, 40_000, 400_000, 50_001, '4x001', ''].filter(logic.isManual), []);
    assert.deepEqual([[30_001, 40_020], [30_001, 7], []].map((regs) => logic.numberingOf(regs.map((reg) => ({ reg })))), ['40001', '0-based', '0-based']);
    assert.equal(logic.numberingOf([{ reg: 40_070, table: 'holding' }]), '0-based');
    const listed = logic.editsOf({ place: { bus: 'b', driver: 'modbus-rtu', on: 'x' }, unit: 1, id: 'm', points: [{ id: 'p', reg: 30_001 }], numbering: '40001' }, { parsed: {} });
    assert.equal(listed[0].add.numbering, '40001');
  },
  'what was left out of one model is not left out of another'() {
    assert.deepEqual(logic.ofAnyModel({ only: ['u'], numbering: '40001', report: { on_change: true } }), { report: { on_change: true } });
    assert.equal(logic.ofAnyModel(undefined), undefined);
  },
  'the id of a gateway follows its name until it has one of its own'() {
    const id = (title, before, name = '') => logic.idFor(title, before, { id: 'vm', name });
    assert.equal(id('Boiler room', { title: '', id: 'vm' }), 'boiler-room');
    assert.equal(id('Boiler room 2', { title: 'Boiler room', id: 'boiler-room' }), 'boiler-room-2');
    assert.equal(id('Boiler room 2', { title: 'Boiler room', id: 'plant7' }), 'plant7');
    assert.equal(id('', { title: 'B', id: 'b' }), 'vm');
    assert.equal(id('Boiler room', { title: 'Plant 7', id: 'vm' }, 'Plant 7'), 'vm', 'brokers know a gateway that was given a name by this id');
  },
  'a clock that is off by no more than the way of a request is right'() {
    logic.heardTime(Date.now() - 109);
    assert.equal(logic.clocksApart(), 0);
    logic.heardTime(Date.now() + 5_000);
    assert.ok(logic.clocksApart() > 4_000);
    logic.heardTime(Date.now());
  },
  'a table is read with tabs, semicolons or commas, and tells its wrong lines'() {
    for (const separator of ['\t', ';', ',']) {
      const text = [['id', 'reg', 'scale', 'name'], ['u1', '100', '0.1', '"Spannung"'], ['', '101', '', '']].map((row) => row.join(separator)).join('\r\n');
      assert.deepEqual(logic.readTable(text), { points: [{ id: 'u1', reg: 100, scale: 0.1, name: 'Spannung' }], wrong: [3] });
    }
    assert.equal(logic.readTable('id;reg;name\na;1;"x; ""y"""').points[0].name, 'x; "y"');
    assert.equal(logic.readTable('id;reg;ucum\na;1;1').points[0].ucum, '1'); // UCUM's unit of what is counted
    assert.deepEqual(logic.readTable(''), { points: [], wrong: [] });
  },
  'a table has the columns of a table in the configuration'() {
    const rows = [
      'id;name;reg;scale;write;write.min;write.max;write.step;write.verify;report.dead_band;report.at_least;enum;was;na',
      'a;2;40001;0,1;;0;10,5;0.5;FALSE;2%;60s;0=off|1=a\\|b;b|c;7',
      'd;true;40002;;TRUE;;;;;0,5;;;;', 'e;;40003;;false;;;;;;;;;', 'f;;40004;;false;0;;;;;;;;', 'g;;40005;;0..9;;;;;;;;;', 'h;;40006;;true;;9;;;;;;;',
    ];
    assert.deepEqual(logic.readTable(rows.join('\n')), {
      points: [
        { id: 'a', name: '2', reg: 40001, scale: 0.1, write: { min: 0, max: 10.5, step: 0.5, verify: false }, report: { dead_band: '2%', at_least: '60s' }, enum: { 0: 'off', 1: 'a|b' }, was: ['b', 'c'], na: [7] },
        { id: 'd', name: 'true', reg: 40002, write: {}, report: { dead_band: 0.5 } },
        { id: 'e', reg: 40003 },
        { id: 'h', reg: 40006, write: { max: 9 } },
      ],
      wrong: [5, 6],
    });
  },
  'a value that does not change stands in the middle of its chart'() {
    assert.deepEqual([400, -50, 0].map(logic.aroundFlat), [[396, 404], [-50.5, -49.5], [-1, 1]]);
  },
  'a line is judged by how much of it is taken'() {
    assert.deepEqual([0, 40, 70, 95].map(logic.verdict), ['idle', 'fits', 'tight', 'full']);
  },
  'durations and sizes are said in the units that matter'() {
    assert.deepEqual([3_000, 250_000, 1_800_000, 7_500_000, 200_000_000].map(logic.duration), ['3\u00a0s', '4\u00a0min 10\u00a0s', '30\u00a0min', '2\u00a0h 5\u00a0min', '2\u00a0d']);
    assert.deepEqual([512, 1_536, 8 * 2 ** 30].map(logic.bytes), ['512\u00a0B', '1.5\u00a0KiB', '8.0\u00a0GiB']);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log('ok', name);
  } catch (error) {
    failed++;
    console.log('FAILED', name, error.message);
  }
}
process.exit(failed ? 1 : 0);
