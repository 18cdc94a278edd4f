// The dialog: what is shown, and nothing of what it is about. Texts only ever become text nodes.

import { safe } from "./gateway.mjs";
import { STYLE } from "./style.mjs";

const KEPT = "keydown keyup keypress pointerdown mousedown touchstart click input change submit focusin focusout";
let host, dialog, texts;

function element(name, properties, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (key.startsWith("aria-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...content.flat().filter((each) => each !== "" && each !== undefined));
  return made;
}

const say = (text, values) => text.replace(/%\((\w+)\)s/g, (all, name) => values[name] ?? all);
const button = (text, onclick, className = "") => element("button", { type: "button", onclick, className }, text);
const link = (text, href, className) =>
  element("a", { href: safe(href), target: "_blank", rel: "noopener", className }, text);

// Opens it; `onclose` is called when the person closes it, not when `shut` does.
export function openDialog(words, onclose) {
  texts = words;
  host = element("div");
  dialog = element("dialog", { lang: texts.lang, dir: texts.dir, onclose }, element("h2"));
  dialog.setAttribute("aria-labelledby", "title");
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(dialog);
  // The application's shortcuts and its "clicked elsewhere" are not about what happens in here.
  for (const type of KEPT.split(" ")) host.addEventListener(type, (event) => event.stopPropagation());
  (document.body ?? document.documentElement).append(host);
}

export function shutDialog() {
  if (!host) return;
  dialog.onclose = null;
  dialog.close();
  host.remove();
  host = dialog = undefined;
}

function show(title, ...content) {
  const heading = element("h2", { id: "title", tabIndex: -1, autofocus: true }, title);
  const away = element("button", {
    type: "button", className: "close", "aria-label": texts.close, onclick: () => dialog.close(),
  }, "\u00d7");
  const part = (className, ...parts) => element("div", { className }, ...parts);
  dialog.replaceChildren(part("head", heading, away), part("rest", content));
  dialog.scrollTop = 0;
  if (dialog.open) heading.focus();
  else dialog.showModal();
}

const note = (text) => element("p", { className: "note", role: "status" }, text ?? "");

// The offer of this problem. `actions`: pay(plan, provider), decline(reason), close().
export function showOffer(problem, said, onceMore, actions) {
  const declined = problem.standing === "declined";
  show(
    problem.title,
    note(said),
    element("p", null, problem.detail),
    problem.hold ? held(problem.hold) : "",
    plans(problem, onceMore, actions),
    notNow(declined, actions),
    link(texts.page, problem.offer, "page"),
  );
}

function held({ name: file, release, expires, teaser }) {
  const { facts, lines = [], columns = [], rows = [] } = teaser ?? {};
  const shown = { ...facts };
  if (expires) {
    const form = { dateStyle: "long", timeStyle: "short", timeZone: "UTC" };
    shown[texts.kept_until] = `${new Date(expires).toLocaleString(texts.lang, form)} UTC`;
  }
  return element("section", null,
    element("h3", null, element("bdi", null, file || (release ? texts.kept : texts.shown))),
    element("dl", null, Object.entries(shown).map(([name, value]) =>
      element("div", null, element("dt", null, texts.facts[name] ?? name), element("dd", null, element("bdi", null, value))))),
    lines.length ? element("pre", { dir: "auto" }, lines.join("\n")) : "",
    columns.length || rows.length ? table(columns, rows) : "",
    lines.length || columns.length ? element("p", { className: "hint" }, texts.rest) : "");
}

function table(columns, rows) {
  const cells = (name, values) =>
    element("tr", null, values.map((each) => element(name, null, element("bdi", null, each))));
  return element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": texts.begins },
    element("table", null,
      columns.length ? element("thead", null, cells("th", columns)) : "",
      element("tbody", null, rows.map((row) => cells("td", row)))));
}

function plans(problem, onceMore, actions) {
  const { providers } = texts, offered = problem.checkout ?? [];
  if (!offered.some((plan) => plan.providers.length)) {
    const text = offered.length ? texts.no_way : texts.no_plan;
    return element("section", null, note(text), texts.contact ? link(texts.ask, texts.contact, "page") : "");
  }
  return element("section", null,
    element("h3", null, problem.hold?.release ? texts.take_it : texts.choose),
    onceMore ? element("p", { className: "hint" }, texts.once_more) : "",
    offered.map((plan) => element("div", { className: "plan" },
      element("div", { className: "terms" },
        element("b", null, plan.name),
        element("b", null, element("bdi", null, plan.price_text)),
        [plan.gives, plan.renews].map((each) => each && element("span", { className: "hint" }, each))),
      plan.providers.map((name) => button(
        name === "free" ? texts.free : say(plan.providers.length > 1 ? texts.pay_with : texts.pay, {
          price: plan.price_text, label: providers.find((each) => each.name === name)?.label,
        }),
        () => actions.pay(plan, name), "primary")))));
}

function notNow(declined, actions) {
  const { reasons } = texts;
  if (declined || !reasons.length) {
    return element("section", null,
      element("p", null, declined ? texts.declined : texts.stays_open), button(texts.go_on, actions.close));
  }
  const options = reasons.map(({ id, text }) => element("label", null,
    element("input", { type: "radio", name: "reason", value: id }), element("span", null, text)));
  const refuse = () => actions.decline(dialog.querySelector(":checked")?.value);
  return element("section", null,
    element("h3", null, texts.not_now), element("p", null, texts.stays_open),
    element("fieldset", null, element("legend", null, texts.why), options), button(texts.not_now, refuse));
}

// A sentence, a link and a button, as far as there are any.
export function showText(title, detail, text, address, does, action) {
  show(title, element("p", { role: "status" }, detail),
    address ? link(text, address, "button primary") : "", action ? button(does, action) : "");
}
