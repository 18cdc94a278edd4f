// JSX needs no plugin: the compiler in Vite knows it.
export default { esbuild: { jsx: "automatic" } };
