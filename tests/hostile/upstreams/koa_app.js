// The hostile test's application in Koa with its router, and no option changed.
"use strict";

const Koa = require("koa");
const Router = require("@koa/router");
const { line, reported } = require("./node_beacon.js");

const app = new Koa();
const router = new Router();

const text = (context, body) => {
  context.type = "text/plain";
  context.body = line(body, context.request.headers["x-nonce"]);
};

const result = async (context) => {
  await reported(context.request.headers["x-nonce"], context.req.url);
  text(context, "MARKER-RESULT");
};

router.get("/api/result/:identifier", result);
router.post("/api/result/:identifier", result);
app.use(router.routes());
app.use((context) => text(context, `OPEN ${context.req.url}`));
app.on("error", () => {});

app.listen(Number(process.argv[2]), "127.0.0.1");
