// The page while it is written: builds it on every change, reloads the browser, and passes /api/ and /metrics on to a
// daemon that runs. Its own dependency is what builds the page: npm ci in gateway/web/page.
import { mkdtempSync, readdirSync, rmSync, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const usage = `Usage: tools/page-dev [--socket PATH | --url https://HOST[:PORT]] [--port N]

Serves the page from its source on http://localhost:N, and asks the daemon behind it.

  --socket PATH  the daemon's unix socket (/run/sluice/api.sock unless said): one is the owner
  --url URL      the daemon's HTTPS address: one logs in; its certificate is not checked
  --port N       8480 unless said
`;
const page = fileURLToPath(new URL('./', import.meta.url));
const settings = { socket: '/run/sluice/api.sock', port: '8480' };
for (let words = process.argv.slice(2); words.length; words = words.slice(2)) {
  const name = words[0].replace(/^--/, '');
  if (!['socket', 'url', 'port'].includes(name) || words[1] === undefined) {
    const asked = ['-h', '--help'].includes(words[0]);
    (asked ? process.stdout : process.stderr).write(usage);
    process.exit(asked ? 0 : 2);
  }
  settings[name] = words[1];
}

const { build } = await import(join(page, 'build.mjs')).catch(() => {
  console.error('tools/page-dev: esbuild is missing; run: (cd gateway/web/page && npm ci)');
  process.exit(1);
});
const folder = mkdtempSync(join(tmpdir(), 'sluice-page-'));
const browsers = new Set();
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";
const reloader = "new EventSource('/page-dev/changes').addEventListener('built', () => location.reload());";

let shown; // the page that was built last, in a folder of its own

async function rebuild() {
  const fresh = mkdtempSync(join(folder, 'built-'));
  try {
    await build(true, fresh);
    if (shown) rmSync(shown, { recursive: true });
    shown = fresh;
    for (const browser of browsers) browser.write('event: built\ndata: {}\n\n');
  } catch {
    rmSync(fresh, { recursive: true, force: true }); // esbuild has told what is wrong; the page before it stays
  }
}

let pending;
function later() {
  clearTimeout(pending);
  pending = setTimeout(rebuild, 50);
}

// Node 18 watches no tree on Linux, only single folders.
function watchTree(folder) {
  watch(folder, later);
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) watchTree(join(folder, entry.name));
}

// The request as it came, but for the names of the host: the daemon checks that they are its own.
function pass(request, response) {
  const target = settings.url ? new URL(settings.url) : null;
  const headers = { ...request.headers, host: target ? target.host : 'localhost' };
  if (headers.origin) headers.origin = target ? target.origin : 'http://localhost';
  delete headers.referer;
  const options = { method: request.method, path: request.url, headers };
  const asked = target
    ? https.request({ ...options, host: target.hostname, port: target.port || 443, rejectUnauthorized: false })
    : http.request({ ...options, socketPath: settings.socket });
  asked.on('response', (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  asked.on('error', (error) => {
    if (response.headersSent) return response.destroy();
    response.writeHead(502, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ error: `page-dev: the daemon does not answer: ${error.message}` }));
  });
  response.on('close', () => asked.destroy());
  request.pipe(asked);
}

async function serve(request, response) {
  const path = new URL(request.url, 'http://localhost').pathname;
  if (path.startsWith('/api/') || path === '/metrics') return pass(request, response);
  if (path === '/page-dev/changes') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    browsers.add(response);
    return response.on('close', () => browsers.delete(response));
  }
  if (path === '/page-dev/reload.js') {
    response.writeHead(200, { 'Content-Type': 'text/javascript' });
    return response.end(reloader);
  }
  try {
    const file = path === '/' ? '/index.html' : path;
    let body = await readFile(join(shown, file));
    if (path === '/') body = String(body).replace('</head>', '<script src="/page-dev/reload.js" defer></script></head>');
    response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'text/plain', 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0));
await rebuild();
watchTree(join(page, 'src'));
http.createServer(serve).listen(Number(settings.port), '127.0.0.1', () => {
  console.log(`http://localhost:${settings.port} shows the page of ${settings.url ?? settings.socket}`);
});
