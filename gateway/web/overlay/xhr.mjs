// `XMLHttpRequest`, watched. An offer is kept from the application's listeners; then the same object is sent again, to
// the released result or as before, and what it tells is its own. So nothing of it is ever imitated but, where the
// offer is given back after all, its last events. Synchronous requests and other origins are left alone.

import { ask, leave } from "./desk.mjs";
import { proofOf, watch } from "./gateway.mjs";
import { act } from "./fetch.mjs";

const { prototype } = XMLHttpRequest;
const plain = Object.fromEntries(["open", "setRequestHeader", "send"].map((name) => [name, prototype[name]]));
const TOLD = ["readystatechange", "loadstart", "progress", "load", "loadend"];
const requests = new WeakMap();

const unwatched = (name, request, ...given) => Reflect.apply(plain[name], request, given);

export function watchRequests(isWatching) {
  const undo = Object.entries({
    open(target, request, given) {
      drop(requests.get(request));
      const result = Reflect.apply(target, request, given);
      if (isWatching() && (given.length < 3 || given[2])) opened(request, given, isWatching);
      else requests.delete(request);
      return result;
    },
    setRequestHeader(target, request, given) {
      const result = Reflect.apply(target, request, given);
      requests.get(request)?.headers.push(given);
      return result;
    },
    send(target, request, given) {
      const state = requests.get(request);
      if (state) Object.assign(state, { body: given[0], stage: "sent", ...act() });
      return Reflect.apply(target, request, given);
    },
    abort(target, request, given) {
      const state = requests.get(request), wasCaught = state?.stage === "caught";
      drop(state);
      const result = Reflect.apply(target, request, given);
      if (wasCaught) for (const type of ["abort", "loadend"]) request.dispatchEvent(new ProgressEvent(type));
      return result;
    },
  }).map(([name, apply]) => watch(prototype, name, { apply }));
  undo.push(watch(window, "XMLHttpRequest", {
    construct: (...given) => guarded(Reflect.construct(...given)),
  }));
  return () => undo.forEach((each) => each());
}

// From here on the application hears of it again, whatever comes.
function pass(state) {
  state.stage = "passed";
  state.done?.(true);
}

function drop(state) {
  if (!/caught|again/.test(state?.stage)) return;
  if (state.call) leave(state.call);
  pass(state);
}

function opened(request, [method, address, , ...credentials], isWatching) {
  const url = new URL(address, document.baseURI).href;
  requests.set(request, { request, method, url, credentials, isWatching, headers: [], kept: [] });
  guarded(request);
}

// Whoever listens first can keep others from hearing; to listen a second time changes nothing.
function guarded(request) {
  for (const type of TOLD) request.addEventListener(type, guard, true);
  return request;
}

function guard(event) {
  const state = requests.get(this);
  if (!state?.stage || state.stage === "passed") return;
  if (state.stage === "again" && this.readyState < 2) event.stopImmediatePropagation();
  if (this.readyState < 2) return;
  if (state.stage !== "caught") {
    if (!state.isWatching() || !isOfferTo(this)) return pass(state);
    state.stage = "caught";
  }
  if (this.readyState === 4 && this.status !== 402) return pass(state);
  event.stopImmediatePropagation();
  if (this.readyState < 4) return;
  state.kept.push([event.type, event.loaded, event.total, event.lengthComputable]);
  if (event.type === "loadend") offeredToRequest(state);
}

function isOfferTo(request) {
  if (request.status !== 402 || request.responseType === "document") return false;
  const isOurs = new URL(request.responseURL).origin === location.origin;
  return isOurs && request.getResponseHeader("paywall-reason") !== null;
}

async function problemOf({ responseType: type, response }) {
  if (type === "json") return response;
  if (type === "arraybuffer") return JSON.parse(new TextDecoder().decode(response));
  return JSON.parse(type === "blob" ? await response.text() : response);
}

async function offeredToRequest(state) {
  const { request } = state;
  let problem;
  try {
    problem = await problemOf(request);
  } catch {
    // No offer that can be shown.
  }
  if (requests.get(request) !== state || state.stage !== "caught") return;
  if (typeof problem?.offer !== "string") return giveBackTo(state);
  if (state.done) {
    state.call.problem = problem;
    state.done(false);
    return;
  }
  const given = new Headers(state.headers);
  const { acted, focus } = state;
  state.call = {
    problem, acted, focus,
    proof: proofOf(request.getResponseHeader("vary"), (name) => given.get(name)),
    canRepeat: true,
    back: () => giveBackTo(state),
    again: () => sendAgain(state),
  };
  ask(state.call);
}

function giveBackTo(state) {
  pass(state);
  for (const [type, loaded, total, lengthComputable] of state.kept) {
    const event = type === "readystatechange"
      ? new Event(type) : new ProgressEvent(type, { loaded, total, lengthComputable });
    state.request.dispatchEvent(event);
  }
}

function sendAgain(state) {
  const { request } = state, release = state.call.problem.hold?.release;
  return new Promise((done) => {
    Object.assign(state, { stage: "again", kept: [], done });
    const to = release ? ["GET", release] : [state.method, state.url];
    unwatched("open", request, ...to, true, ...(release ? [] : state.credentials));
    const headers = release ? Object.entries(state.call.proof) : state.headers;
    for (const [name, value] of headers) unwatched("setRequestHeader", request, name, value);
    unwatched("send", request, release ? null : state.body);
  });
}
