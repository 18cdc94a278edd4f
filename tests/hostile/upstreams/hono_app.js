// The hostile test's application in Hono on Node.js, with Hono's own routing and no option changed.
"use strict";

const { serve } = require("@hono/node-server");
const { Hono } = require("hono");
const { line, reported } = require("./node_beacon.js");

const app = new Hono();
const target = (context) => context.env.incoming.url;
const text = (context, body) => context.text(line(body, context.req.header("x-nonce")));

app.on(["GET", "POST"], "/api/result/:identifier", async (context) => {
  await reported(context.req.header("x-nonce"), target(context));
  return text(context, "MARKER-RESULT");
});
app.all("*", (context) => text(context, `OPEN ${target(context)}`));

serve({ fetch: app.fetch, port: Number(process.argv[2]), hostname: "127.0.0.1" });
