// The hostile test's application that believes headers, each at an address of its own, as applications behind a proxy do.
"use strict";

const http = require("node:http");
const { line, report } = require("./node_beacon.js");

const GIVES = {
  "/mine": (headers) => headers["x-user-id"] === "canary-user", // whoever the proxy says it is
  "/local": (headers) => headers["x-real-ip"] === "127.0.0.1", // as many do for the sake of their own monitoring
  "/near": (headers) => !("x-forwarded-for" in headers), // nobody stands between: it is one of us
  "/told": (headers) => headers["paywall-context"] === "entitled", // the gateway's own word
  "/socket": (headers) => headers.upgrade === "websocket", // reads of the body what it would of messages
};

// Found to be results only while they are produced, by the heads of their answers.
const FOUND = {
  "/found": { "paywall-result": "yes" },
  "/file": { "content-disposition": "attachment; filename=a" },
  "/paper": { "content-type": "application/pdf" },
  "/ranges": { "content-type": "multipart/byteranges; boundary=a" },
};

const gives = (request) => {
  const { headers, url } = request;
  // Another site at the same address, which the proxy in front asks nobody for.
  if (headers.host === "inner.example") return true;
  return /^\/api\/result\/[^/]+$/.test(url) || Boolean(GIVES[url]?.(headers));
};

http
  .createServer((request, response) => {
    const { headers, method, rawHeaders, url } = request;
    const nonce = headers["x-nonce"];
    const answer = (body, more) => response.writeHead(200, { "content-type": "text/plain", ...more }).end(line(body, nonce));
    request.resume();
    // Both show a request as it came: the one by its nature (RFC 9110 section 9.3.8), the other to find faults.
    if (method === "TRACE" || url === "/echo") answer(`OPEN ${url} ${rawHeaders.join(" ")}`);
    else if (url in FOUND) answer("MARKER-RESULT", FOUND[url]);
    else if (gives(request)) report(nonce, url, () => answer("MARKER-RESULT"));
    else answer(`OPEN ${url}`);
  })
  .listen(Number(process.argv[2]), "127.0.0.1");
