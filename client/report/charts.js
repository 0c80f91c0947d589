/**
 * What draws the charts of a report's page, in the browser. It is written into the page, with the library it draws with.
 *
 * @module
 */

/**
 * Draws charts. The page holds its source, so it uses nothing but its arguments, the page and uPlot.
 *
 * @param {import("./html_page.ts").Charts} charts What to draw.
 * @param {Record<string, import("./html_page.ts").ChartKind>} kinds How, by the names of the charts.
 */
export function drawCharts(charts, kinds) {
  const { document, uPlot } = globalThis;
  const color = (name) => globalThis.getComputedStyle(document.documentElement).getPropertyValue(name);
  const latency = (us) => {
    const [value, unit] = us < 999.5 ? [us, "µs"] : us < 999_500 ? [us / 1000, "ms"] : [us / 1e6, "s"];
    return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${unit}`;
  };
  const byteSize = (bytes) => {
    const [value, unit] = bytes < 1024
      ? [bytes, "B"]
      : bytes < 2 ** 20
      ? [bytes / 1024, "KiB"]
      : [bytes / 2 ** 20, "MiB"];
    return `${Number(value.toPrecision(3))} ${unit}`;
  };
  const byteRate = (bytes) => {
    const [value, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : bytes < 1e9 ? [bytes / 1e6, "MB"] : [bytes / 1e9, "GB"];
    return `${Number(value.toPrecision(3))} ${unit}/s`;
  };
  const count = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3, notation: "compact" });
  const percentile = (x) => `${x < 0.005 ? 0 : Number((100 - 100 / 10 ** x).toFixed(Math.max(Math.ceil(x) - 1, 1)))}%`;

  /** Round values between two, no more than `most`, for a linear axis. */
  function evenTicks(min, max, most) {
    const power = 10 ** Math.floor(Math.log10((max - min) / most));
    const step = [1, 2, 5, 10].map((step) => step * power).find((step) => (max - min) / step <= most);
    const ticks = [];
    for (let tick = Math.ceil(min / step); tick * step <= max; tick++) ticks.push(tick * step);
    return ticks;
  }

  /** Round values between two, no more than `most`, for an axis of logarithms. */
  function logTicks(min, max, most) {
    const [low, high] = [10 ** min, 10 ** max];
    if (high < 8 * low) return evenTicks(low, high, most).map(Math.log10);
    const decades = [];
    for (let power = Math.floor(min); power <= max; power++) decades.push(power);
    const choices = [[1, 2, 5], [1, 3], [1]].map((steps) =>
      decades.flatMap((power) => steps.map((step) => power + Math.log10(step))).filter((at) => at >= min && at <= max)
    );
    return choices.find((ticks) => ticks.length <= most) ?? choices[2].filter((_, index) => index % 2 === 0);
  }

  /** The percentiles that have a name, 0, 50, 90, 99, 99.9 …, as far apart as `most` of them would be. */
  function percentileTicks(min, max, most) {
    const ticks = [];
    for (const at of [0, Math.log10(2), 1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      const apart = ticks.length === 0 || at - ticks.at(-1) >= (max - min) / most;
      if (apart && at >= min && at <= max) ticks.push(at);
    }
    return ticks;
  }

  /** Room around what is drawn on an axis of logarithms. */
  const padded = (_chart, min, max) => {
    const room = Math.max((max - min) * 0.04, min === max ? 0.05 : 0);
    return [min - room, max + room];
  };

  /** Powers of two between two logarithms of base 10, no more than `most`. */
  function sizeTicks(min, max, most) {
    const double = Math.log10(2);
    const step = Math.ceil((max - min) / double / most);
    const ticks = [];
    for (let power = Math.ceil(min / double / step) * step; power * double <= max; power += step) {
      ticks.push(power * double);
    }
    return ticks;
  }

  /** What an axis can show: where its ticks are, what they say, and how much room each needs in a row. */
  const scales = {
    percentile: { ticks: percentileTicks, text: percentile, space: 42 },
    logLatency: { ticks: logTicks, text: (log) => latency(10 ** log), space: 64, range: padded },
    logCount: { ticks: logTicks, text: (log) => count(10 ** log), space: 48, range: padded },
    logSize: { ticks: sizeTicks, text: (log) => byteSize(Math.round(10 ** log)), space: 64, range: padded },
    logByteRate: { ticks: logTicks, text: (log) => byteRate(10 ** log), space: 64, range: padded },
    share: { ticks: evenTicks, text: (share) => `${Number(share.toPrecision(3))} %`, space: 48 },
    seconds: { ticks: evenTicks, text: (time) => `${Number(time.toFixed(1))} s`, space: 56 },
    count: { ticks: evenTicks, text: count, space: 48 },
  };

  function axis({ ticks, text, space }, vertical) {
    return {
      stroke: color("--muted"),
      grid: { stroke: color("--grid"), width: 1 },
      ticks: { stroke: color("--grid"), width: 1, size: 4 },
      font: "12px system-ui, sans-serif",
      ...(vertical ? { size: 66 } : { size: 32 }),
      splits: (chart, _axis, min, max) => {
        const room = (vertical ? chart.bbox.height : chart.bbox.width) / globalThis.devicePixelRatio;
        return ticks(min, max, Math.max(Math.floor(room / (vertical ? 36 : space)), 2));
      },
      values: (_chart, splits) => splits.map(text),
    };
  }

  function draw(name) {
    const { stepped, pointed, spanGaps = false, ...kind } = kinds[name];
    const [x, y] = [kind.x, kind.y].map(({ label, scale }) => ({ label, ...scales[scale] }));
    const place = document.getElementById(name);
    const size = () => ({ width: place.clientWidth, height: Math.min(Math.max(place.clientWidth * 0.55, 220), 360) });
    const chart = new uPlot(
      {
        ...size(),
        padding: [12, 20, 0, 0],
        scales: { x: { time: false }, y: { range: y.range ?? ((_chart, _min, max) => [0, (max || 1) * 1.05]) } },
        axes: [axis(x, false), axis(y, true)],
        legend: { markers: { fill: (_chart, index) => color(`--series-${(index - 1) % 6}`) } },
        cursor: { focus: { prox: 16 }, y: false },
        focus: { alpha: 0.3 },
        series: [
          { label: x.label, value: (_chart, value) => value === null ? "–" : x.text(value) },
          ...charts.labels.map((label, index) => ({
            label,
            stroke: color(`--series-${index % 6}`),
            width: 2,
            // Beyond the six colours, dashes tell the lines apart.
            dash: index < 6 ? [] : index < 12 ? [8, 4] : [2, 3],
            value: (_chart, value) => value === null ? "–" : y.text(value),
            ...(stepped
              ? { paths: uPlot.paths.stepped({ align: 1 }), fill: `${color(`--series-${index % 6}`)}22` }
              : {}),
            // A line through a single value would not be seen.
            points: { show: pointed || (charts[name][0].length < 3 && !stepped), size: 8 },
            spanGaps,
          })),
        ],
      },
      charts[name],
      place,
    );
    return { chart, place, size };
  }

  let drawn = [];
  const redraw = () => {
    for (const { chart } of drawn) chart.destroy();
    drawn = Object.keys(kinds).filter((name) => charts[name][0].length > 0).map(draw);
  };
  redraw();
  globalThis.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  globalThis.addEventListener("resize", () => {
    for (const { chart, size } of drawn) chart.setSize(size());
  });
}
