// `fetch`, watched: every call goes out as it is, and every answer but an offer comes back as it came.

import { ask, leave } from "./desk.mjs";
import { isOffer, proofOf, send, watch } from "./gateway.mjs";

// Bodies that can be sent a second time; a stream can't.
const canRepeat = (body) =>
  body == null || typeof body === "string" || ArrayBuffer.isView(body) ||
  [FormData, URLSearchParams, Blob, ArrayBuffer].some((kind) => body instanceof kind);

export const act = () => ({
  acted: navigator.userActivation?.isActive ?? true,
  focus: document.activeElement,
});

export const watchFetch = (isWatching) => watch(window, "fetch", {
  apply(target, self, given) {
    const call = isWatching() ? remember(given) : undefined;
    const answer = Reflect.apply(target, self, given);
    return call ? answer.then((came) => (isWatching() && isOffer(came) ? offeredToCall(came, call) : came)) : answer;
  },
});

// What it takes to send this call again. Nothing here may fail, or be noticed by whoever made it.
function remember([input, init]) {
  const call = { input, init, ...act() };
  try {
    if (input instanceof Request && init?.body == null && !/^(GET|HEAD)$/.test(init?.method ?? input.method)) {
      // Its body is used up by sending it. (Of a `Request` without one, this costs nothing.)
      if (new URL(input.url).origin === location.origin && !input.bodyUsed) call.copy = input.clone();
    }
  } catch {
    // It can't be repeated, then; that it can't be sent either, the real `fetch` says.
  }
  return call;
}

async function offeredToCall(came, made) {
  let problem;
  try {
    problem = await came.clone().json();
  } catch {
    return came;
  }
  if (typeof problem?.offer !== "string") return came;
  return new Promise((resolve, reject) => waitWith(came, made, problem, resolve, reject));
}

function waitWith(came, made, problem, resolve, reject) {
  const { input, init, copy } = made;
  const isRequest = input instanceof Request;
  const own = new Headers(init?.headers ?? (isRequest ? input.headers : undefined));
  const signal = init?.signal ?? (isRequest ? input.signal : undefined);
  const stop = () => {
    leave(call, signal.reason?.name === "TimeoutError");
    reject(signal.reason);
  };
  const done = (end, value) => {
    signal?.removeEventListener("abort", stop);
    end(value);
    return true;
  };
  // An address is read where the call was made: the page may have another one by now.
  const address = came.redirected ? input : came.url;
  const repeat = () => (isRequest ? send(copy?.clone() ?? input, init) : send(address, init));
  const call = {
    problem,
    acted: made.acted,
    focus: made.focus,
    proof: proofOf(came.headers.get("vary"), (name) => own.get(name)),
    canRepeat: canRepeat(init?.body) && (!isRequest || init?.body != null || copy !== undefined || !input.bodyUsed),
    back: () => done(resolve, came),
    async again() {
      const release = call.problem.hold?.release;
      try {
        const next = await (release ? send(release, { headers: call.proof, signal }) : repeat());
        const told = isOffer(next) && (await next.clone().json());
        if (!told?.offer) return done(resolve, next);
        [came, call.problem] = [next, told];
        return signal?.aborted ?? false;
      } catch (error) {
        return done(reject, error);
      }
    },
  };
  if (signal?.aborted) return reject(signal.reason);
  signal?.addEventListener("abort", stop);
  ask(call);
}
