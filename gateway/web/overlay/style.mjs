// How the dialog looks. It lies in a constructed style sheet, which no `style-src` forbids.

export const STYLE = `
:host { all: initial !important; }
dialog, dialog * { box-sizing: border-box; }
dialog {
  --card: #fff; --ink: #1c2024; --quiet: #545c64; --edge: #dddad2; --accent: #0b5d5e; --shade: #efede7;
  --notice: #fdf4dc; --notice-edge: #8a6a12; --focus: #1a57c9;
  color-scheme: light dark; inline-size: min(576px, 100vw - 16px); max-inline-size: none;
  max-block-size: calc(100dvh - 16px); margin: auto; padding: 0; overflow: auto; overscroll-behavior: contain;
  scroll-padding-block-start: 96px;
  background: var(--card); color: var(--ink); border: 1px solid var(--edge); border-radius: 12px;
  font: 16px/1.5 system-ui, sans-serif;
  text-align: start; overflow-wrap: anywhere; pointer-events: auto; box-shadow: 0 12px 48px #0006;
}
dialog::backdrop { background: #0009; }
.head { position: sticky; inset-block-start: 0; z-index: 1; display: flex; gap: 12px; align-items: flex-start;
  padding: 16px 20px 12px; background: var(--card); }
.rest { padding: 0 20px 20px; }
h2, h3 { margin: 0; line-height: 1.25; }
h2 { flex: 1; min-inline-size: 0; padding-block-start: 8px; font-size: 22px; }
h2:focus { outline: none; }
h3 { margin-block-end: 8px; font-size: 17px; }
p { margin: 0 0 12px; }
section { margin-block: 16px 0; padding-block-start: 16px; border-block-start: 1px solid var(--edge); }
.hint { color: var(--quiet); font-size: 15px; }
.note { padding: 10px 14px; background: var(--notice); border-inline-start: 4px solid var(--notice-edge);
  border-radius: 4px; }
.note:empty { display: none; }
dl { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 0 0 12px; }
dl div { min-inline-size: 0; max-inline-size: 100%; }
dt { color: var(--quiet); font-size: 14px; }
dd { margin: 0; font-weight: 600; }
pre { margin: 0 0 12px; padding: 12px; background: var(--shade); border-radius: 8px; white-space: pre-wrap;
  font: 14px/1.5 ui-monospace, Consolas, "Liberation Mono", monospace; }
.scroll { margin-block-end: 12px; overflow-x: auto; border: 1px solid var(--edge); border-radius: 8px; }
table { inline-size: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 6px 10px; text-align: start; white-space: nowrap; }
th { background: var(--shade); }
.plan { margin-block-end: 12px; padding: 14px; border: 1px solid var(--edge); border-radius: 10px; }
.terms { display: grid; grid-template-columns: 1fr auto; gap: 0 12px; align-items: baseline; }
.terms > * { min-inline-size: 0; }
.terms b:last-of-type { font-size: 19px; white-space: nowrap; }
.terms .hint { grid-column: 1 / -1; }
button, .button { display: flex; align-items: center; justify-content: center; inline-size: 100%;
  min-block-size: 46px; margin-block-start: 8px; padding: 8px 16px; background: var(--card); color: var(--ink);
  border: 2px solid var(--quiet); border-radius: 10px; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; cursor: pointer; }
button:hover, .button:hover { border-color: var(--ink); text-decoration: underline; }
.primary { background: var(--accent); color: var(--card); border-color: var(--accent); }
.close { flex: none; inline-size: 44px; min-block-size: 44px; margin: 0; padding: 0; border-color: transparent;
  font-size: 24px; }
fieldset { min-inline-size: 0; margin: 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
label { display: flex; gap: 12px; align-items: center; min-block-size: 44px; cursor: pointer; }
input { flex: none; inline-size: 22px; block-size: 22px; margin: 0; accent-color: var(--accent); }
a { color: var(--accent); text-underline-offset: .2em; }
.page { display: inline-flex; align-items: center; min-block-size: 44px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 4px; }
@media (prefers-color-scheme: dark) {
  dialog { --card: #1b1f22; --ink: #e9ecee; --quiet: #a8b0b7; --edge: #32383d; --accent: #7fd1cb; --shade: #262b2f;
    --notice: #2c2614; --notice-edge: #d3af52; --focus: #8fb8ff; }
}
`;
