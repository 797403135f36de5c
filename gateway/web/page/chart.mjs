// What the page's chart does not use of uPlot need not be loaded. It draws lines over a span of time that is given, with words
// of the page's own, and shows one set of data: other scales, ways to draw and to write times, zooming, charts that follow one
// another, and series that come and go are left out. A version of uPlot that has them no longer by these names fails the build.

/** Lines that hand out what nobody here asks for. */
const lines = [
  '(paths.stepped = stepped);', '(paths.bars    = bars);', '(paths.spline  = monotoneCubic);', 'uPlot.join = join;',
  'uPlot.rangeLog = rangeLog;', 'uPlot.rangeAsinh = rangeAsinh;', 'uPlot.fmtDate = fmtDate;', 'uPlot.tzDate  = tzDate;',
  'const days3 = days.map(slice3);', 'const months3 = months.map(slice3);', 'const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;',
  'genIncrs(2, -53, 53, [1]);',
];

/** Functions that are never called, or to no avail. */
const unreached = [
  'rangeLog', 'rangeAsinh', 'logAxisSplits', 'asinhAxisSplits', 'log10AxisValsFilt', 'log2AxisValsFilt', 'snapLogY', 'snapAsinhY',
  'timeAxisStamps', 'timeAxisVals', 'timeSeriesStamp', 'timeSeriesVal', 'fmtDate',
  'mouseDown', 'mouseUp', 'dblClick', 'hideSelect', 'addSeries', 'delSeries', 'addBand', 'delBand', 'setBand', 'pubSync', 'points', 'batch', 'setFocus',
  'seriesPointsShow', 'setAlpha', 'flushHooks',
];

function without(code, text) {
  if (!code.includes(text)) throw new Error(`uPlot no longer says "${text}": look there for what the page does not use`);
  return code.replace(text, '');
}

/** The code with nothing in the body of a function, whose end stands as far in as its begin. */
function emptied(code, name) {
  const found = new RegExp(`^(\\t*)(function ${name}\\([^)]*\\)) \\{\\n[^]*?^\\1\\}`, 'm');
  if (!found.test(code)) throw new Error(`uPlot no longer has ${name}(): look there for what the page does not use`);
  return code.replace(found, '$1$2 {}');
}

/** Tables that only these functions read. */
const tables = [[/const _timeAxisStamps = \[[^]*?^\t\];/m, 'const _timeAxisStamps = null;'], [/const engNames = \{[^]*?^\};/m, '']];

function withoutTable(code, [table, instead]) {
  if (!table.test(code)) throw new Error(`uPlot no longer has ${table}: look there for what the page does not use`);
  return code.replace(table, instead);
}

/**
 * What is so of every chart here: lines over one axis of time, scales that are linear and stand for themselves, one series
 * as near to the pointer as the other, nothing dragged, no other chart that leads. What would be otherwise is left out by esbuild.
 */
const settled = [
  [/^\t*multiValLegend = getMultiVals != null;$/m, ''], [/^\t*let multiValLegend = false;$/m, ''], [/^\t*const cursorFocus = focus\.prox >= 0;$/m, ''],
  [/\b(?:multiValLegend|cursorFocus)\b/g, 'false'],
  [/\bmode == 2\b/g, 'false'], [/\bmode == 1\b/g, 'true'],
  [/\b(?:\w+\.)?distr == (?:2|3|4|100)\b/g, 'false'], [/\b\w+\.distr >= 3\b/g, 'false'],
  [/\b(?:sc|wsc|scaleOpts)\.from != null/g, 'false'], [/\baxis\.label != null/g, 'false'],
  [/\bif \(dragging\b/g, 'if (false'], [/\bselect\.show && dragging\b/g, 'false'],
  [/\bsrc != null\b/g, 'false'], [/\bsrc == null\b/g, 'true'],
  [/\bsyncKey != null\b/g, 'false'], [/\bcursor\._lock\b(?! =)/g, 'false'], [/\bscaleX\.ori == 0\b/g, 'true'], [/\bscaleX\.ori == 1\b/g, 'false'],
  [/\bendRad == 0 && baseRad == 0\b/, 'true'], [/^\t*bezierCurveTo[HV],$/gm, ''],
];

function decided(code, [asked, answer]) {
  if (code.search(asked) < 0) throw new Error(`uPlot no longer asks ${asked}: look there for what the page does not use`);
  return code.replace(asked, answer);
}

export function lighter(code) {
  return settled.reduce(decided, unreached.reduce(emptied, tables.reduce(withoutTable, lines.reduce(without, code))));
}
