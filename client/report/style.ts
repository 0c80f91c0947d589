/**
 * How a report's page looks.
 *
 * @module
 */

/** How many colours there are for series; more of them share colours. `charts.js`, which runs in the browser, knows it too. */
export const SERIES_COLORS = 6;

/**
 * The style sheet of a page, light and dark. The colours of the series keep apart for the common kinds of colour
 * blindness, and have a contrast of 4.5 and more to the ground.
 */
export const STYLE = `:root {
  --ground: #fff; --raised: #f5f6f8; --text: #1c2128; --muted: #59636e; --grid: #d9dee466; --line: #d9dee4;
  --series-0: #0065b3; --series-1: #b84a00; --series-2: #007a58; --series-3: #a8327f; --series-4: #6b5b00; --series-5: #5a4fcf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --raised: #1d2128; --text: #e6e9ee; --muted: #9da7b3; --grid: #3d444d66; --line: #3d444d;
    --series-0: #5ab4f5; --series-1: #ff9248; --series-2: #3ccf9f; --series-3: #f08fd0; --series-4: #d9c04a; --series-5: #aca5ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 24px clamp(12px, 3vw, 32px); max-width: 1200px;
  background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
  display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px;
}
body > * { grid-column: 1 / -1; min-width: 0; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; }
h2 { font-size: 17px; margin: 0; }
p { margin: 0; }
header p, figcaption p, footer { color: var(--muted); font-size: 14px; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
.table th, .table td { padding: 8px 12px; text-align: right; white-space: nowrap; }
.table thead th { color: var(--muted); background: var(--raised); font-weight: 500; font-size: 13px; }
.table tbody tr { border-top: 1px solid var(--line); }
.table th:first-child {
  position: sticky; left: 0; background: var(--ground); text-align: left; font-weight: 600;
  max-width: min(320px, 42vw); overflow: hidden; text-overflow: ellipsis;
}
.table thead th:first-child { background: var(--raised); }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 8px; }
${
  Array.from({ length: SERIES_COLORS }, (_, index) => `.series-${index} { background: var(--series-${index}); }`).join(
    "\n",
  )
}
figure { margin: 0; padding: 16px; border: 1px solid var(--line); border-radius: 8px; }
figcaption { margin-bottom: 4px; }
@media (min-width: 900px) { figure:nth-of-type(2), figure:nth-of-type(3) { grid-column: auto; } }
.uplot { font: inherit; width: 100%; }
.u-legend { font-size: 13px; text-align: left; padding-left: 8px; font-variant-numeric: tabular-nums; }
.u-legend th { font-weight: 500; overflow-wrap: anywhere; }
.u-legend td { min-width: 4.5em; }
.u-legend .u-marker { border-radius: 3px; }
.u-select { background: color-mix(in srgb, var(--text) 10%, transparent); }`;
