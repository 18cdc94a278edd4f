// The hostile test's application in Fastify, with Fastify's own routing and no option changed.
// With LOOSE=1 its router is as forgiving as it can be told to be: case, trailing and double slashes do not matter.
"use strict";

const { line, reported } = require("./node_beacon.js");

const loose = process.env.LOOSE === "1";
const routerOptions = { ignoreTrailingSlash: loose, ignoreDuplicateSlashes: loose, caseSensitive: !loose };
const app = require("fastify")(loose ? { routerOptions } : {});

const text = (request, reply, body) => reply.code(200).type("text/plain").send(line(body, request.headers["x-nonce"]));

app.addContentTypeParser("*", (request, payload, done) => payload.resume().on("end", () => done(null)));
app.route({
  method: ["GET", "POST"],
  url: "/api/result/:identifier",
  handler: async (request, reply) => {
    await reported(request.headers["x-nonce"], request.raw.url);
    return text(request, reply, "MARKER-RESULT");
  },
});
app.setNotFoundHandler((request, reply) => text(request, reply, `OPEN ${request.raw.url}`));

app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
