// The hostile test's application with one page, whose data it serves at the addresses of every framework that has some.
// Names are as on Windows: case does not count, nor do spaces and dots at the end. Below a script the script is run.
"use strict";

const http = require("node:http");
const { line, report } = require("./node_beacon.js");

// Each makes of an address the page whose data lies there.
const PAGES = [
  (path) => path.replace(/[ .]+$/, ""),
  (path) => path.replace(/\.segments\/.*\.segment\.rsc$/, ""),
  (path) => path.replace(/(\.prefetch)?\.rsc$/, ""),
  (path) => path.replace(/^\/_next\/data\/[^/]+(\/de)?(\/.*)\.json$/, "$2"),
  (path) => path.replace(/(_root|\/_)?\.data$/, ""),
  (path) => path.replace(/\/__data\.json$/, ""),
  (path) => path.replace(/\/_payload\.json$/, ""),
  (path) => path.replace(/^\/page-data(\/.*)\/page-data\.json$/, "$1"),
  (path) => path.replace(/\.csv$/, ""),
  (path) => path.replace(/\.php[ .]*\/.*$/, ".php"),
];
const RESULTS = new Set(["/report", "/report.php"]);

http
  .createServer((request, response) => {
    const nonce = request.headers["x-nonce"];
    const path = decodeURIComponent(request.url.split("?", 1)[0]);
    const answer = (body) => response.writeHead(200, { "content-type": "text/plain" }).end(line(body, nonce));
    const page = PAGES.reduce((name, read) => read(name), path.toLowerCase());
    const found = /^\/api\/result\/[^/]+$/.test(path) || RESULTS.has(page);
    if (found) report(nonce, request.url, () => answer("MARKER-RESULT"));
    else answer(`OPEN ${request.url}`);
    request.resume();
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
