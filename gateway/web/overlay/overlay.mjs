// The overlay of Paywall Gateway: shows the offer in a page that asks for results by itself, and lets the page's own
// call have the result once it is paid for. `start` and `stop` are all there is.

import { closeDesk } from "./desk.mjs";
import { watchFetch } from "./fetch.mjs";
import { watchRequests } from "./xhr.mjs";

const KEY = Symbol.for("paywall.overlay");
let undo;

// Begins to watch `fetch` and `XMLHttpRequest`. A page is watched once, however often the overlay is in it; false where
// it was so already, or where the browser lacks what it takes.
export function start() {
  const isAble = window.HTMLDialogElement && "adoptedStyleSheets" in Document.prototype;
  if (window[KEY] || !isAble) return false;
  window[KEY] = true;
  let isWatching = true;
  const undoing = [watchFetch(() => isWatching), watchRequests(() => isWatching)];
  undo = () => {
    isWatching = false;
    for (const each of undoing) each();
    closeDesk();
  };
  return true;
}

// Ends it: what waits gets the gateway's own answer.
export function stop() {
  if (!undo) return;
  undo();
  undo = undefined;
  delete window[KEY];
}
