// What the page's chart does not use of uPlot need not be loaded. It draws lines over a span of time that is given, with words
// of the page's own, and shows one set of data: other scales, ways to draw and to write times, zooming, charts that follow one
// another, and series that come and go are left out. A version of uPlot that has them no longer by these names fails the build;
// tests/browser/walk_chart.mjs sees that what is drawn is the same.

/** Lines that prepare or hand out what nobody here asks for. */
const lines = [
  '(paths.stepped = stepped);', '(paths.bars    = bars);', '(paths.spline  = monotoneCubic);', 'uPlot.join = join;',
  'uPlot.rangeLog = rangeLog;', 'uPlot.rangeAsinh = rangeAsinh;', 'uPlot.fmtDate = fmtDate;', 'uPlot.tzDate  = tzDate;',
  'uPlot.assign = assign;', 'uPlot.fmtNum = fmtNum;', 'uPlot.orient   = orient;', 'uPlot.sync = _sync;', 'uPlot.addGap = addGap;', 'uPlot.clipGaps = clipGaps;',
  'const days3 = days.map(slice3);', 'const months3 = months.map(slice3);', 'const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone;',
  'genIncrs(2, -53, 53, [1]);', 'const [ timeIncrsMs, _timeAxisStampsMs, timeAxisSplitsMs ] = genTimeStuffs(1);',
  'const rectV = rect(1);', 'const drawAccV = _drawAcc(lineToV);',
  'onMouse(mousedown,  over, mouseDown);', 'onMouse(dblclick, over, dblClick);',
  'const drag = cursor.drag;', 'let dragX = drag.x;', 'let dragY = drag.y;', 'drag._x = dragX;', 'drag._y = dragY;',
  'if (syncOpts.match.length == 2)', 'syncOpts.match.push(seriesIdxMatcher);', 'cursor.sync = syncOpts;',
  'const syncKey = syncOpts.key;', 'const sync = _sync(syncKey);', 'sync.sub(self);', 'sync.unsub(self);',
  'const hooks = self.hooks = opts.hooks || {};', 'const _fmtDate = (opts.fmtDate || fmtDate);',
  'let setSelX = scaleX.ori == 0 ? setSelH : setSelV;', 'let setSelY = scaleX.ori == 1 ? setSelH : setSelV;',
  'axis.labelFont = pxRatioFont(axis.labelFont);', 'const FOCUS_TRUE  = {focus: true};',
  'self.valToIdx = val => closestIdx(val, data[0]);', 'rawMouseLeft1 = mouseLeft1;', 'rawMouseTop1 = mouseTop1;',
  'const markers    = legend.markers;', 'markers.width  = fnOrSelf(markers.width);', 'markers.dash   = fnOrSelf(markers.dash);',
  'markers.stroke = fnOrSelf(markers.stroke);', 'markers.fill   = fnOrSelf(markers.fill);',
];

/** Statements of several lines that do no more: each from what it begins with to the line that is as far in as its begin. */
const statements = [
  'markers: {', 'drag: {', 'const xySeriesOpts = {', 'on("click", wrap, e => {', '(opts.plugins || []).forEach(p => {', '(opts.plugins || []).forEach(p => {', 'events["setSeries"] = ',
  'const syncOpts = assign(',
  "Object.defineProperty(self, 'rect', {", 'self.valToPos = ', 'self.setCursor = ', 'self.redraw = ', 'const select = self.select = assign({',
];

/** Functions that are never called, or to no avail. */
const unreached = [
  'rangeLog', 'rangeAsinh', 'logAxisSplits', 'asinhAxisSplits', 'log10AxisValsFilt', 'log2AxisValsFilt', 'snapLogY', 'snapAsinhY',
  'timeAxisStamps', 'timeAxisVals', 'timeSeriesStamp', 'timeSeriesVal', 'fmtDate',
  'mouseDown', 'mouseUp', 'dblClick', 'hideSelect', 'addSeries', 'delSeries', 'addBand', 'delBand', 'setBand', 'pubSync', 'points', 'batch',
  'setFocus', 'seriesPointsShow', 'setAlpha', 'flushHooks', 'fire', 'pub', 'offMouse', 'setSelH', 'setSelV', 'setSelect', 'closestIdxFromXpos',
];

function without(code, text) {
  if (!code.includes(text)) throw new Error(`uPlot no longer says "${text}": look there for what the page does not use`);
  return code.replace(text, '');
}

function withoutStatement(code, begin) {
  const at = code.indexOf(begin), indent = /\t*$/.exec(code.slice(0, at))[0];
  if (at < 0) throw new Error(`uPlot no longer says "${begin}": look there for what the page does not use`);
  const rest = code.slice(at + begin.length), end = new RegExp(`^${indent}[^\\s/].*\\n`, 'm').exec(rest);
  return code.slice(0, at) + rest.slice(end.index + end[0].length);
}

/** The code with nothing in the body of a function, whose end stands as far in as its begin. */
function emptied(code, name) {
  const found = new RegExp(`^(\\t*)(function ${name}\\([^)]*\\)) \\{\\n[^]*?^\\1\\}`, 'm');
  if (!found.test(code)) throw new Error(`uPlot no longer has ${name}(): look there for what the page does not use`);
  return code.replace(found, '$1$2 {}');
}

/** A function that does nothing, where nobody calls it. */
function withoutUncalled(code, name) {
  const calls = code.match(new RegExp(`\\b${name}\\b`, 'g')).length;
  return calls > 1 ? code : code.replace(new RegExp(`^\\t*function ${name}\\(.*\\) \\{\\}$`, 'm'), '');
}

/** Tables that only these functions read. */
const tables = [[/const _timeAxisStamps = \[[^]*?^\t\];/m, 'const _timeAxisStamps = null;'], [/const engNames = \{[^]*?^\};/m, '']];

function withoutTable(code, [table, instead]) {
  if (!table.test(code)) throw new Error(`uPlot no longer has ${table}: look there for what the page does not use`);
  return code.replace(table, instead);
}

/** What is so of every chart here; what would be otherwise is left out by esbuild. */
const settled = [
  // One axis of time, scales that are linear, rise, and stand for themselves.
  [/\bmode == 2\b/g, 'false'], [/\bmode == 1\b/g, 'true'], [/\bms == 1\b/g, 'false'], [/\bopts\.ms \|\| /g, ''],
  [/\b(?:\w+\.)?distr == (?:2|3|4|100)\b/g, 'false'], [/\b\w+\.distr >= 3\b/g, 'false'], [/\bxScaleDistr == [234]/g, 'false'],
  [/\b(?:sc|wsc|scaleOpts)\.from != null/g, 'false'], [/\b(?:sc|wsc)\.from == null/g, 'true'],
  [/\b(?:scaleX|sx)\.ori == 0\b/g, 'true'], [/\bscaleX\.ori == 1\b/g, 'false'], [/\bori == 0 \? rectH : rectV/, 'rectH'],
  [/(?<![.\w])dir == 1\b/g, 'true'], [/(?<![.\w])dir == -1\b/g, 'false'], [/\b(?:sc|scale)\.dir == -1\b/g, 'false'],
  [/\brangeIsArr\b(?! =)/g, 'false'], [/\bisObj\((?:rn|mult)\)/g, 'false'],
  // Axes without a name, a border and ticks, whose numbers stand upright and are written by the page.
  [/\baxis\.label != null/g, 'false'], [/\[axis\.font, axis\.labelFont\]/, '[axis.font]'], [/'12px system-ui[^']*'/, "''"],
  [/\b(?:ticks|border)\.show\b(?! =)/g, 'false'], [/\bif \(angle\)/, 'if (false)'],
  [/^\tconst _time(?:AxisVals|SeriesVal) .*$/gm, ''], [/ \|\| _time(?:AxisVals|SeriesVal)\b/g, ''],
  [/\bisStr\((?:sv|av)\)/g, 'false'], [/\bisArr\(av\)(?= \?| &&)/g, 'false'],
  // Lines of one colour without points, which stand for themselves in the legend, without a sample of their colour.
  [/\bendRad == 0 && baseRad == 0\b/, 'true'], [/^\t*bezierCurveTo[HV],$/gm, ''], [/\b(?:strokePath|fillPath) instanceof Map\b/g, 'false'],
  [/\bif \(_points\b/g, 'if (false'], [/!_points\b/, 'true'], [/\bif \(show \|\| idxs\)/, 'if (false)'],
  [/^\t*multiValLegend = getMultiVals != null;$/m, ''], [/^\t*let multiValLegend = false;$/m, ''], [/\bmultiValLegend\b/g, 'false'],
  [/\bs\.label instanceof HTMLElement\b/, 'false'], [/!markers\.show\b/, 'false'], [/\bmarkers\.show\b/g, 'false'],
  // One line as near to the pointer as the other, nothing dragged or marked.
  [/^\t*const cursorFocus = focus\.prox >= 0;$/m, ''], [/\bcursorFocus\b/g, 'false'], [/^\t*const cursorOnePt = .*$/m, ''], [/\bcursorOnePt\b/g, 'false'],
  [/\bgetBBox != null/, 'false'], [/\bwithProx\b(?! =)/g, 'false'], [/\bcursor\._lock\b(?! =)/g, 'false'],
  [/\bif \(dragging\b/g, 'if (false'], [/\binitial\b(?=\) \{)/, 'false'], [/\bselect\.show\b/g, 'false'],
  // No other chart that leads, nobody who is told or asks, nothing plugged in.
  [/\be != null\b/g, 'true'], [/\bsrc != null\b/g, 'false'], [/\bsrc == null\b/g, 'true'], [/\bsyncKey != null\b/g, 'false'],
  [/, true, syncOpts\.setSeries\b/g, ''], [/^\tevents\.\w+ = \w+;$/gm, ''], [/\b(?:_fire !== false && )?fire\("[^;]*\);/g, ''],
  [/\bopts\.(?:id != null|title)\b/g, 'false'], [/^\tself\.\w+ = (?!\w+ =|setSize|destroy|syncRect|get[HV]Pos|posToVal)\w+;$/gm, ''],
];

function decided(code, [asked, answer]) {
  if (code.search(asked) < 0) throw new Error(`uPlot no longer asks ${asked}: look there for what the page does not use`);
  return code.replace(asked, answer);
}

export function lighter(code) {
  const said = statements.reduce(withoutStatement, lines.reduce(without, code));
  const left = settled.reduce(decided, unreached.reduce(emptied, tables.reduce(withoutTable, said)));
  return unreached.reduce(withoutUncalled, left);
}
