// The page's chart is drawn, pointed at and laid out anew with what is loaded of uPlot exactly as with all of it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check, main, openPage } from './browser.mjs';
import { page as source } from './page.mjs';

const { chart: lightened } = await import(join(source, 'build.mjs'));
const { build } = createRequire(join(source, 'package.json'))('esbuild');

const DAY_MS = 86_400_000, AT = Date.UTC(2026, 10, 27, 9, 30);

function course(n, every, value, unit = 'V') {
  const made = { from: AT, to: AT + n * every, unit, t: [], min: [], max: [], avg: [], n: [] };
  for (let i = 0; i < n; i++) {
    const avg = value(i), room = avg === null ? null : Math.abs(avg) / 50 + (i % 7) / 10;
    made.t.push(AT + i * every);
    made.avg.push(avg);
    made.min.push(avg === null ? null : avg - room);
    made.max.push(avg === null ? null : avg + room);
    made.n.push(avg === null ? 0 : 4);
  }
  return made;
}

const wave = (i) => 230 + 4 * Math.sin(i / 9) + (i % 5) / 10;
const flat = course(60, 60_000, () => 50);
const courses = {
  'a minute': course(60, 1000, wave),
  'a day with holes': course(288, 300_000, (i) => (i % 40 > 30 || i === 100 || i === 102 ? null : wave(i))),
  'a month': course(720, 3_600_000, (i) => Math.cos(i / 30) * 12, '°C'),
  'a change of the clocks': { ...course(96, 3_600_000, wave), from: Date.UTC(2026, 9, 24), to: Date.UTC(2026, 9, 26), t: Array.from({ length: 96 }, (_, i) => Date.UTC(2026, 9, 24) + i * 1_800_000) },
  'many more than pixels': course(9000, 10_000, (i) => (i % 900 > 850 ? null : wave(i) * (i % 13 ? 1 : 1.1))),
  'what does not change': { ...flat, min: flat.avg, max: flat.avg },
  'a counter': course(200, 60_000, (i) => 4_000_000_000 + i * 17, 'kWh'),
  'next to nothing': course(50, 60_000, (i) => i * 1e-7 - 2e-6, 'A'),
  'far below zero': course(50, 60_000, (i) => -5e12 - i * 1e10, 'W'),
  'a moment': course(50, 60_000, (i) => 1_790_000_000 + i * 60, 's'),
  'one value': course(1, 60_000, () => 7),
  'nothing': course(0, 60_000, () => null),
  'nothing good': course(30, 60_000, () => null),
  'years': course(40, 90 * DAY_MS, wave),
};

async function bundle(folder, name, plugins) {
  const outfile = join(folder, `${name}.js`);
  await build({
    stdin: {
      contents: "import { h, render } from 'preact'; import { Chart } from './src/parts/chart'; addEventListener('draw', ({ detail }) => render(h(Chart, { series: detail, name: 'x', unit: detail.unit }), document.body));",
      resolveDir: source, loader: 'js',
    },
    bundle: true, minify: true, format: 'iife', outfile, plugins, jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'error',
    alias: { uplot: join(source, 'node_modules/uplot/dist/uPlot.esm.js') },
  });
  return readFileSync(outfile, 'utf8');
}

async function opened(browser, script, style) {
  const page = await openPage(browser, { width: 800 });
  await page.setContent('<!doctype html><meta charset="utf-8"><title>x</title><body></body>');
  await page.addStyleTag({ content: style });
  await page.addScriptTag({ content: script });
  return page;
}

/** What is seen of it: at first, where one points, without one of its lines, when the window has become narrow. */
async function looks(page, series) {
  await page.setViewportSize({ width: 800, height: 500 });
  await page.evaluate((detail) => {
    document.querySelector('.uplot')?.setAttribute('class', 'uplot old');
    dispatchEvent(new CustomEvent('draw', { detail }));
  }, series);
  await page.locator('.uplot:not(.old)').waitFor();
  const seen = [], look = async () => seen.push((await page.screenshot()).toString('base64'));
  await page.mouse.move(400, 495);
  await look();
  for (const left of [66, 300, 431, 795]) {
    await page.mouse.move(left, 120);
    await look();
  }
  await page.mouse.click(300, 120);
  await page.mouse.down();
  await page.mouse.move(500, 150);
  await page.mouse.up();
  await look();
  await page.locator('.u-legend th').nth(1).click();
  await look();
  await page.locator('.u-legend th').nth(1).click();
  await page.mouse.move(200, 120);
  await page.setViewportSize({ width: 360, height: 500 });
  await page.waitForFunction(() => document.querySelector('.uplot canvas').clientWidth <= 360);
  await look();
  return seen;
}

await main(async (browser) => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-chart-'));
  const bundles = [await bundle(folder, 'light', [lightened]), await bundle(folder, 'whole', [])];
  rmSync(folder, { recursive: true });
  check(bundles[0].length < bundles[1].length, 'nothing is left out');
  const style = ['styles/tokens.css', 'parts/chart.css'].map((name) => readFileSync(join(source, 'src', name), 'utf8')).join('\n');
  const [light, whole] = [await opened(browser, bundles[0], style), await opened(browser, bundles[1], style)];
  for (const [name, series] of Object.entries(courses)) {
    const [seen, wanted] = [await looks(light, series), await looks(whole, series)];
    seen.forEach((image, i) => check(image === wanted[i], name, `look ${i + 1} is another`));
    check(new Set(seen).size > (series.t.length > 1 && series.avg[0] !== null ? 5 : 1), name, 'it changes where one points', new Set(seen).size);
  }
  check(light.troubles.length === 0 && whole.troubles.length === 0, light.troubles, whole.troubles);
  console.log(`${Object.keys(courses).length} charts`);
});
