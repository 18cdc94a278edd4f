/**
 * Begin to watch `fetch` and `XMLHttpRequest`: a call that the gateway answers with an offer stays pending while a
 * dialog shows it, and then has the result, or the gateway's own 402 answer.
 *
 * False where the page is watched already, or where the browser lacks what it takes.
 */
export function start(): boolean;

/** End it. Calls that wait get the gateway's own answer. */
export function stop(): void;
