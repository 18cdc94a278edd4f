// The application of the overlay's tests: each button makes one call, and what came of it is written down.
"use strict";

const said = (text) => document.querySelector("#said").append(`${text}\n`);
const tell = (call) => call.then(async (answer) => said(`${answer.status} ${(await answer.text()).split("\n")[0]}`),
  (error) => said(error.name));

function request(method, address, body, type = "") {
  const xhr = new XMLHttpRequest(), events = [];
  for (const name of ["readystatechange", "loadstart", "progress", "load", "error", "abort", "timeout", "loadend"]) {
    xhr.addEventListener(name, () => events.push(name === "readystatechange" ? xhr.readyState : name));
  }
  xhr.onloadend = () => {
    const { response } = xhr;
    const text = type === "json" ? JSON.stringify(response) : type === "arraybuffer" && response
      ? new TextDecoder().decode(response) : type === "blob" ? `${response?.size} bytes` : response;
    said(`${xhr.status} ${String(text).split("\n")[0]}`);
    said(events.join(" "));
  };
  xhr.responseType = type;
  xhr.open(method, address);
  xhr.setRequestHeader("x-of-the-app", "yes");
  xhr.send(body);
  return xhr;
}

let stop, pending;
const form = () => {
  const made = new FormData();
  made.append("part", "of a form");
  return made;
};
const stream = () => new Blob(["streamed"]).stream();
const post = (body, more) => tell(fetch("/blocked/echo", { method: "POST", body, ...more }));
const calls = {
  fetch: () => tell(fetch("/report.csv")),
  request: () => tell(fetch(new Request("/report.csv", { headers: { accept: "text/csv" } }))),
  open: () => tell(fetch("/open")),
  priced: () => tell(fetch("/priced")),
  several: () => Promise.all([tell(fetch("/report.csv")), tell(fetch("/reports/1")), request("GET", "/reports/2")]),
  blocked: () => tell(fetch("/blocked/csv")),
  preview: () => tell(fetch("/preview/csv")),
  text: () => post("a text"),
  form: () => post(form()),
  parameters: () => post(new URLSearchParams({ a: "parameter" })),
  bytes: () => post(new TextEncoder().encode("some bytes")),
  "request with a body": () => tell(fetch(new Request("/blocked/echo", { method: "POST", body: "in a request" }))),
  stream: () => tell(fetch(new Request("/blocked/echo", { method: "POST", body: "x" }), { body: stream(), duplex: "half" })),
  abortable: () => {
    stop = new AbortController();
    tell(fetch("/report.csv", { signal: stop.signal }));
  },
  impatient: () => tell(fetch("/report.csv", { signal: AbortSignal.timeout(1500) })),
  abort: () => stop.abort(),
  "a Request that is aborted": () => {
    stop = new AbortController();
    tell(fetch(new Request("/report.csv", { signal: stop.signal })));
  },
  known: () => tell(fetch("/report.csv", { headers: { "x-user-id": document.body.dataset.person } })),
  xhr: () => { pending = request("GET", "/report.csv"); },
  "xhr abort": () => pending.abort(),
  "xhr json": () => request("GET", "/reports/json", undefined, "json"),
  "xhr arraybuffer": () => request("GET", "/report.csv", undefined, "arraybuffer"),
  "xhr blob": () => request("GET", "/report.csv", undefined, "blob"),
  "xhr post": () => request("POST", "/blocked/echo", "posted by a request"),
  "xhr sync": () => {
    const xhr = new XMLHttpRequest();
    xhr.open("GET", "/report.csv", false);
    xhr.send();
    said(`${xhr.status} at once`);
  },
  busy: async ({ target }) => {
    target.disabled = true;
    await tell(fetch("/report.csv"));
    target.disabled = false;
  },
};

for (const button of document.querySelectorAll("button")) {
  button.onclick = (event) => calls[button.textContent](event);
}
if (document.body.dataset.atOnce) calls[document.body.dataset.atOnce]();
