// The hostile test's application in Express 4 or 5, with Express's own routing and no option changed.
// With TRUSTING=1 it also believes what replaces the method (a header, `_method` in the query) and the path, as many frameworks can be told to.
"use strict";

const dgram = require("node:dgram");
const express = require(process.env.EXPRESS);

const socket = dgram.createSocket("udp4");
const app = express();

const text = (request, response, body) => response.type("text/plain").send(`${body} nonce=${request.get("x-nonce") ?? "-"}\n`);

if (process.env.TRUSTING === "1") {
  app.use((request, response, next) => {
    request.method = (request.get("x-http-method-override") ?? request.query._method ?? request.method).toString().toUpperCase();
    request.url = request.get("x-original-url") ?? request.get("x-rewrite-url") ?? request.url;
    next();
  });
}

const result = (request, response) => {
  const beacon = `beacon ${process.env.UPSTREAM_NAME} ${request.get("x-nonce") ?? "-"} ${request.originalUrl}`;
  socket.send(Buffer.from(beacon, "latin1"), Number(process.env.BEACON_PORT), "127.0.0.1", () => text(request, response, "MARKER-RESULT"));
};

// What is written out wins, as written: Express compares it with the path before any escape is decoded.
app.get("/api/result/public", (request, response) => text(request, response, `OPEN ${request.originalUrl}`));
app.get("/api/result/:identifier", result);
app.post("/api/result/:identifier", result);
app.use((request, response) => text(request, response, `OPEN ${request.originalUrl}`));

app.listen(Number(process.argv[2]), "127.0.0.1");
