// What the overlay asks of the gateway. All calls go out by the page's own `fetch`, as it was before it was watched.

const native = window.fetch;

// Whether this answer is an offer: of this origin, and made by the gateway. An application never sends this header.
export const isOffer = (answer) =>
  answer.status === 402 && answer.type === "basic" && answer.headers.has("paywall-reason");

export const send = (...given) => Reflect.apply(native, window, given);

// Puts a watcher before a function of the page's; what comes back takes it away again, unless others have come since.
export function watch(owner, name, handler) {
  const before = owner[name];
  const watched = owner[name] = new Proxy(before, handler);
  return () => {
    if (owner[name] === watched) owner[name] = before;
  };
}

// The headers by which the gateway knows who asks: those of the call that its answer names in `Vary`.
export function proofOf(vary, headers) {
  const proof = {};
  for (const name of (vary ?? "").toLowerCase().split(",").map((each) => each.trim())) {
    if (!name || name.startsWith("accept")) continue;
    const value = headers(name);
    if (value !== null && value !== undefined) proof[name] = value;
  }
  return proof;
}

// Everything of the gateway's lies beside the offer, under whatever prefix.
const beside = (problem, name) => problem.offer.slice(0, problem.offer.lastIndexOf("/offer")) + name;

const json = async (answer) => (await answer).json();

export async function readWords(call) {
  const words = await json(send(beside(call.problem, "/overlay.json")));
  if (!words.lang) throw words;
  return words;
}

export async function openCheckout(call, plan, provider) {
  const body = new URLSearchParams({ provider, beside: "app" });
  const answer = await send(plan.address, { method: "POST", headers: call.proof, body });
  return { ok: answer.ok, ...(await json(answer)) };
}

export const statusAddress = (call, checkout) =>
  beside(call.problem, `/paid?checkout=${encodeURIComponent(checkout)}`);

// Where a payment stands; nothing where that can't be read for a moment.
export async function readStatus(address, proof) {
  try {
    return (await json(send(`${address}&returned=no`, { headers: proof, cache: "no-store" }))).status;
  } catch {
    return "";
  }
}

export function decline(call, reason) {
  const body = new URLSearchParams({ reason });
  send(call.problem.decline, { method: "POST", headers: call.proof, body, keepalive: true }).catch(() => {});
}

// Only what a link may lead to: an address on the web, or of mail.
export function safe(address) {
  const { href } = new URL(address, location.href);
  return /^(https?|mailto):/.test(href) ? href : "";
}
