// The rig's application in Express, with no option changed: it tags, and answers conditional requests, by itself.
"use strict";

const crypto = require("node:crypto");
const zlib = require("node:zlib");
const express = require(process.env.EXPRESS);

const filling = Buffer.concat(Array(4096).fill(Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))));
const leftOut = new Set(process.env.LEFT_OUT.split(" "));
const codings = { gzip: zlib.gzipSync, br: (data) => zlib.brotliCompressSync(data, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }) };
const app = express();

const report = (request, size, hash) => {
  const headers = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const name = request.rawHeaders[at].toLowerCase();
    if (!leftOut.has(name)) headers.push([name, request.rawHeaders[at + 1]]);
  }
  headers.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0));
  return Buffer.from(JSON.stringify({ method: request.method, target: request.url, headers, size, hash }) + "\n");
};

const answer = (request, response, size, hash) => {
  const order = request.get("x-answer");
  const told = order ? JSON.parse(Buffer.from(order, "base64")) : { status: 200, headers: [], length: 0 };
  response.status(told.status);
  for (const [name, value] of told.headers) response.append(name, value);
  if ([204, 205, 304].includes(told.status)) return response.end();
  let data = Buffer.concat([report(request, size, hash), filling.subarray(0, told.length)]);
  if (told.coding) {
    response.set("Content-Encoding", told.coding);
    data = codings[told.coding](data);
  }
  if (!told.stream) return response.send(data);
  for (let start = 0; start < data.length; start += 8192) response.write(data.subarray(start, start + 8192));
  response.end();
};

app.use((request, response) => {
  const hash = crypto.createHash("sha256");
  let size = 0;
  request.on("data", (piece) => {
    hash.update(piece);
    size += piece.length;
  });
  request.on("end", () => answer(request, response, size, hash.digest("hex")));
});

const server = app.listen(Number(process.argv[2]), "127.0.0.1");
server.keepAliveTimeout = 75_000;
