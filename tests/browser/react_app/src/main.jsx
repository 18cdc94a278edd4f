import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";

// Kept as it is when the application starts, as some libraries do.
const ask = window.fetch;

function Report() {
  const [state, setState] = useState({ phase: "idle" });

  async function make() {
    setState({ phase: "busy" });
    try {
      const answer = await ask("/report.csv");
      if (!answer.ok) throw new Error(`The report did not come: ${answer.status}`);
      const [head, ...rows] = (await answer.text()).trim().split("\n");
      setState({ phase: "done", head: head.split(","), rows: rows.map((row) => row.split(",")) });
    } catch (error) {
      setState({ phase: "failed", why: error.message });
    }
  }

  return (
    <section>
      <button onClick={make} disabled={state.phase === "busy"}>Make the report</button>
      <p role="status">
        {state.phase === "busy" && "The report is being made."}
        {state.phase === "failed" && state.why}
        {state.phase === "done" && `The report has ${state.rows.length} rows.`}
      </p>
      {state.phase === "done" && (
        <table>
          <thead><tr>{state.head.map((name) => <th key={name}>{name}</th>)}</tr></thead>
          <tbody>{state.rows.map((row) => <tr key={row[0]}>{row.map((cell) => <td key={cell}>{cell}</td>)}</tr>)}</tbody>
        </table>
      )}
    </section>
  );
}

function Counter() {
  const [count, setCount] = useState(0);
  return <button onClick={() => setCount(count + 1)}>Looked {count} times</button>;
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <main>
      <h1>Flights</h1>
      <Counter />
      <Report />
    </main>
  </StrictMode>,
);
