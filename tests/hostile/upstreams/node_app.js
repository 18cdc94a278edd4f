// The hostile test's application on Node's `http` alone, routed as people write it by hand. READS says how:
//   url      `new URL`, which resolves dots and takes `\` for `/`
//   host     the whole URL put together of the Host and the target, then `new URL`
//   decode   the path up to `?`, decoded once
//   matrix   as servlet containers read it: what follows `;` in a segment is taken off, then decoded, dots resolved
//   lax      as the most forgiving of them together: decoded twice, `%u0061` too, what is no UTF-8 and what is invisible
//            left out, and what follows `;`, look-alikes taken for the letter, and then `new URL`
//   all      every request is taken for the result, but for the canary's: shows what a gateway sends on at all
"use strict";

const http = require("node:http");
const path = require("node:path");
const { line, report } = require("./node_beacon.js");

const RESULT = /^\/api\/result\/[^/]+$/;
const cut = (target) => target.split("?", 1)[0];

const bytes = (text) => unescape(text.replace(/[^\x00-\x7f]/gu, encodeURIComponent));
const lax = (text) =>
  Buffer.from(bytes(text), "latin1").toString().normalize("NFKC").toLowerCase().replace(/[\p{C}\ufffd]|;[^/]*/gu, "");

const READINGS = {
  url: (target) => RESULT.test(new URL(target, "http://localhost").pathname),
  host: (target, host) => RESULT.test(new URL(`http://${host}${target}`).pathname),
  decode: (target) => RESULT.test(decodeURIComponent(cut(target))),
  matrix: (target) => RESULT.test(path.posix.normalize(decodeURIComponent(cut(target).replace(/;[^/]*/g, "")))),
  lax: (target) => RESULT.test(new URL(lax(lax(cut(target))), "http://localhost").pathname),
  all: (target) => target !== "/canary",
};
const isResult = READINGS[process.env.READS];

http
  .createServer((request, response) => {
    const nonce = request.headers["x-nonce"];
    let found = false;
    try {
      found = isResult(request.url, request.headers.host);
    } catch {
      response.writeHead(400).end();
      return;
    }
    const answer = (body) => response.writeHead(200, { "content-type": "text/plain" }).end(line(body, nonce));
    if (found) report(nonce, request.url, () => answer("MARKER-RESULT"));
    else answer(`OPEN ${request.url}`);
    request.resume();
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
