// The desk: calls that were answered by an offer wait here while one dialog is open for all of them. Each ends in one
// way: it gets what was paid for (`again`), or the gateway's own answer as it came (`back`).
//
// A call has: problem, proof, acted (a person did it), canRepeat, focus; again() -> whether it is done; back().

import { decline, openCheckout, readStatus, readWords, statusAddress } from "./gateway.mjs";
import { openDialog, showOffer, showText, shutDialog } from "./dialog.mjs";

const FIRST_LOOK = 1000, LONGEST_PAUSE = 10000;
const waiting = [];
let words, newest, payment, timer, channel;
let isOpen = false, isCollecting = false, isDismissed = false;

// Takes a call in. What nobody has just asked for opens no dialog once the person has closed one or said "not now".
export function ask(call) {
  const hasAnswered = isDismissed || call.problem.standing === "declined";
  if (!isOpen && hasAnswered && !call.acted) return call.back();
  waiting.push(call);
  if (!isOpen) begin(call);
}

// A call that the application has given up. The dialog goes with the last one, but not while somebody is paying.
export function leave(call, isTimeout) {
  const place = waiting.indexOf(call);
  if (place < 0) return;
  waiting.splice(place, 1);
  if (!waiting.length && !payment && !isTimeout && !isCollecting) finish();
}

async function begin(call) {
  isOpen = true;
  newest = call;
  try {
    words ??= await readWords(call);
  } catch {
    return giveBack();
  }
  if (!waiting.length) return finish();
  openDialog(words, dismiss);
  channel ??= window.BroadcastChannel && new BroadcastChannel("paywall-overlay");
  if (channel) channel.onmessage = () => collect();
  window.addEventListener("focus", lookNow);
  document.addEventListener("visibilitychange", lookNow);
  offer();
}

const current = () => waiting[0] ?? newest;

function offer(said) {
  newest = current();
  const { checking } = newest.problem;
  if (checking) {
    // A payment from before may have been made: nobody is asked for another until that is known.
    payment = { call: newest, status: checking };
    showUnpaid(payment, "unknown");
    return lookIn(FIRST_LOOK);
  }
  const onceMore = !newest.problem.hold?.release && !newest.canRepeat;
  showOffer(newest.problem, said, onceMore, { pay, decline: refuse, close: dismiss });
}

async function pay(plan, provider) {
  const call = current();
  // On the click itself, or a browser takes it for a pop-up that nobody wanted. The page opened can't reach back.
  const tab = window.open("", "_blank");
  if (tab) tab.opener = null;
  const mine = payment = { call, tab, shown: "open" };
  showText(words.waiting, words.opening);
  let begun;
  try {
    begun = await openCheckout(call, plan, provider);
  } catch {
    begun = { detail: words.unreachable };
  }
  const isWanted = payment === mine;
  if (isWanted && begun.outcome === "begun") {
    mine.address = begun.address;
    tab?.location.replace(begun.address);
  } else tab?.close();
  if (!isWanted) return;
  if (begun.checkout) {
    mine.status = statusAddress(call, begun.checkout);
    showPayment();
    return lookIn(FIRST_LOOK);
  }
  payment = undefined;
  if (begun.ok || begun.reason === "offer-outdated") collect();
  else offer(begun.detail || words.unreachable);
}

function showPayment() {
  showText(words.waiting, words.waiting_detail, words.open, payment.address, words.back, () => offer());
}

function lookIn(pause) {
  clearTimeout(timer);
  timer = setTimeout(() => look(pause), pause);
}

function lookNow() {
  if (payment?.status && document.visibilityState === "visible") look(FIRST_LOOK);
}

async function look(pause) {
  const mine = payment;
  if (!mine?.status) return;
  clearTimeout(timer);
  const status = await readStatus(mine.status, mine.call.proof);
  if (payment !== mine) return;
  if (status === "paid" || status === "surplus") {
    payment = undefined;
    mine.tab?.close();
    channel?.postMessage("paid");
    collect(true, status === "surplus" && mine);
  } else if (status && status !== "unknown" && newest.problem.checking) {
    payment = undefined;
    collect(false);
  } else if (status === "mismatch") {
    payment = undefined;
    amiss(mine);
  } else if (status === "failed") {
    payment = undefined;
    offer(words.failed);
  } else {
    if (status) showUnpaid(mine, status);
    lookIn(Math.min(pause * 1.5, LONGEST_PAUSE));
  }
}

function showUnpaid(mine, status) {
  // Where the page is isolated from others, a tab that it opened counts as closed at once: so not before the person is
  // back here. Should the payment come all the same, it is seen.
  const isClosed = mine.shown === "closed" || (mine.tab?.closed && document.hasFocus());
  const shown = status === "open" && isClosed ? "closed" : status;
  if (shown === mine.shown) return;
  mine.shown = shown;
  if (shown === "closed") offer(words.closed);
  else if (shown === "open") showPayment();
  else showText(words.checking, words.checking_detail, words.look, mine.status);
}

// Something was paid, or something else has become clear: let every call have what it is owed, or the offer anew.
async function collect(isPaid = true, surplus) {
  if (isCollecting) return;
  isCollecting = true;
  if (isPaid) showText(words.arrived, words.fetching);
  const left = [];
  let isUndone = !waiting.length;
  for (let call = waiting.shift(); call; call = waiting.shift()) {
    if (!call.problem.hold?.release && !call.canRepeat) {
      isUndone = true;
      call.back();
    } else if (!(await call.again())) left.push(call);
  }
  waiting.push(...left);
  isCollecting = false;
  if (!isOpen) giveBack();
  else if (surplus) amiss(surplus);
  else if (waiting.length) payment ? showPayment() : offer(isPaid && words.more);
  else if (isUndone) end();
  else finish();
}

function end() {
  const { release } = newest.problem.hold ?? {};
  const detail = release ? words.done_kept : words.done_again;
  showText(words.done, detail, words.take, release && `${release}?download`, words.go_on, finish);
}

const amiss = (paid) => showText(words.amiss, words.amiss_detail, words.look, paid.status, words.go_on, dismiss);

function refuse(reason) {
  if (reason) decline(current(), reason);
  dismiss();
}

function dismiss() {
  isDismissed = true;
  giveBack();
}

function giveBack() {
  finish();
  for (const call of waiting.splice(0)) call.back();
}

function finish() {
  const { focus } = newest;
  isOpen = false;
  payment = undefined;
  clearTimeout(timer);
  window.removeEventListener("focus", lookNow);
  document.removeEventListener("visibilitychange", lookNow);
  if (channel) channel.onmessage = null;
  shutDialog();
  // An application that disables its button for as long as it waits has taken the focus off it: give it back after.
  setTimeout(() => {
    if (document.activeElement === document.body && focus?.isConnected) focus.focus();
  }, 100);
}

export const closeDesk = () => isOpen && giveBack();
