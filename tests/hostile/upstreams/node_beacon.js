// What the applications on Node.js share: the report that a result handler ran, sent before it answers.
"use strict";

const dgram = require("node:dgram");

const socket = dgram.createSocket("udp4");

// Calls `then` once the datagram is on its way; `-` stands for a request that came without its nonce.
exports.report = (nonce, target, then) => {
  const beacon = `beacon ${process.env.UPSTREAM_NAME} ${nonce ?? "-"} ${target}`;
  socket.send(Buffer.from(beacon, "latin1"), Number(process.env.BEACON_PORT), "127.0.0.1", then);
};

exports.reported = (nonce, target) => new Promise((resolve) => exports.report(nonce, target, () => resolve()));

exports.line = (body, nonce) => `${body} nonce=${nonce ?? "-"}\n`;
