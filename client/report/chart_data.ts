/**
 * What the charts of a report show, worked out from its series.
 *
 * @module
 */

import { type ReportSeries, shownLabels, spanOf } from "./series.ts";

/** The charts of a report, as uPlot takes them: the places on the x axis, then a row of values for each series. */
export interface ReportCharts {
  /** What each series is called. */
  labels: string[];
  /** The decimal logarithm of the latency in microseconds by −log10(1 − p), for the percentile 100 p. */
  percentiles: (number | null)[][];
  /** The percentage of messages by the decimal logarithm of the latency in microseconds, from there to the next. */
  distribution: (number | null)[][];
  /** Messages a second by the seconds since the series began. */
  throughput: (number | null)[][];
}

/**
 * Works out what the charts of a report show.
 *
 * @param series What to compare, at least one.
 * @returns The charts.
 */
export function chartData(series: readonly ReportSeries[]): ReportCharts {
  return {
    labels: shownLabels(series),
    percentiles: percentileChart(series),
    distribution: distributionChart(series),
    throughput: throughputChart(series),
  };
}

/** Each step of the percentile axis is a tenth of a tenth of those messages that are slower. */
const PERCENTILE_STEP = 0.02;

function percentileChart(series: readonly ReportSeries[]): (number | null)[][] {
  const ends = series.map(({ latencies }) => Math.log10(Math.max(latencies.count, 1)));
  const steps = Math.ceil(Math.max(...ends) / PERCENTILE_STEP);
  const regular = Array.from({ length: steps }, (_, index) => round(index * PERCENTILE_STEP));
  // Each line ends where only its slowest message is left.
  const places = [...new Set([...regular, ...ends.map(round)])].sort((a, b) => a - b);
  return [
    places,
    ...series.map(({ latencies }, index) => {
      const end = round(ends[index]!);
      return places.map((place) => {
        if (latencies.count === 0 || place > end) return null;
        return logarithm(place === end ? latencies.max : latencies.percentile(100 - 100 / 10 ** place));
      });
    }),
  ];
}

const BINS = 240;
/** The narrowest bin, as a logarithm: 0.5 %, of which the histogram tells five values apart. */
const NARROWEST_BIN = 0.002;

function distributionChart(series: readonly ReportSeries[]): (number | null)[][] {
  const filled = series.filter(({ latencies }) => latencies.count > 0);
  if (filled.length === 0) return [[], ...series.map(() => [])];
  const low = Math.min(...filled.map(({ latencies }) => logarithm(latencies.min)));
  const high = Math.max(...filled.map(({ latencies }) => logarithm(latencies.max)));
  const width = Math.max((high - low) / BINS, NARROWEST_BIN);
  const bins = Math.floor((high - low) / width) + 1;
  // An empty bin on either side lets each line begin and end on the axis.
  return [
    Array.from({ length: bins + 2 }, (_, index) => round(low + (index - 1) * width)),
    ...series.map(({ latencies }) => {
      const shares = Array<number>(bins + 2).fill(0);
      for (const { ns, count } of latencies.values()) {
        const bin = Math.floor((logarithm(ns / 1000) - low) / width);
        shares[Math.min(Math.max(bin, 0), bins - 1) + 1]! += 100 * count / latencies.count;
      }
      return shares.map(round);
    }),
  ];
}

const MOST_SPANS = 600;

function throughputChart(series: readonly ReportSeries[]): (number | null)[][] {
  const spans = series.map(({ intervals }) => spanOf(intervals));
  const longest = Math.max(...spans.map(({ start, end }) => end - start));
  if (!(longest > 0)) return [[], ...series.map(() => [])];
  const length = 1000 * Math.ceil(longest / 1000 / MOST_SPANS);
  const places = Array.from({ length: Math.ceil(longest / length) }, (_, index) => index * length);
  return [
    places.map((place) => round((place + Math.min(length, longest - place) / 2) / 1000)),
    ...series.map(({ intervals }, index) => {
      const { start, end } = spans[index]!;
      const last = Math.ceil((end - start) / length) - 1;
      const rates = Array<number>(places.length).fill(0);
      for (const interval of intervals) {
        // An interval that lies in several spans counts in each by the time it spends there, one without length in one.
        const [from, to] = [interval.start - start, interval.end - start];
        const first = Math.max(Math.min(Math.floor(from / length), last), 0);
        for (let span = first; span <= last && (span === first || span * length < to); span++) {
          const spanEnd = Math.min((span + 1) * length, end - start);
          const share = to > from ? (Math.min(to, spanEnd) - Math.max(from, span * length)) / (to - from) : 1;
          rates[span]! += interval.count * share / (spanEnd - span * length) * 1000;
        }
      }
      return rates.map((rate, span) => span <= last ? round(rate) : null);
    }),
  ];
}

/** The decimal logarithm of a latency in microseconds; one of 0 counts as 1 ns. */
function logarithm(us: number): number {
  return round(Math.log10(Math.max(us, 0.001)));
}

/** Enough digits for a chart. */
function round(value: number): number {
  return Math.round(value * 1e5) / 1e5;
}
