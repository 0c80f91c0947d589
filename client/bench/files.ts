/**
 * The files that `meari bench` writes besides its result: the log of latencies and the page.
 *
 * @module
 */

import { resolve } from "node:path";
import { type Endpoint, formatEndpoint } from "../../lib/endpoint.ts";
import { describeCause, MeariError, UsageError } from "../../lib/errors.ts";
import { escapeControls } from "../../lib/escape.ts";
import { fileIdentity } from "../file_identity.ts";
import { HdrLogWriter } from "../measure/hdr_log_writer.ts";
import { LatencyRecorder } from "../measure/latency.ts";
import { checkWritable, replaceFile } from "../replace_file.ts";
import type { ReportSeries } from "../report/series.ts";
import type { MeasuredInterval } from "./tally.ts";

/** Where what is written, and about whom. */
export interface BenchFilesOptions {
  /** The path of the log. */
  hdr: string | undefined;
  /** The path of the page. */
  html: string | undefined;
  /** The servers. */
  endpoints: readonly Endpoint[];
}

/**
 * Checks that the page would not replace the log.
 *
 * @param options Where what is to be written.
 * @throws {UsageError} If both are one file, however it is named.
 */
export async function refuseOneFile({ hdr, html }: Pick<BenchFilesOptions, "hdr" | "html">): Promise<void> {
  if (hdr === undefined || html === undefined) return;
  const [log, page] = await Promise.all([hdr, html].map(async (path) => await fileIdentity(path) ?? resolve(path)));
  if (log === page) throw new UsageError(`--html: ${html} is the file of --hdr, too; name another one for the page`);
}

/** The files that were asked for. */
export class BenchFiles implements Disposable {
  #options: BenchFilesOptions;
  #series = new Map<string, ReportSeries>();
  #opened = false;
  #file: Deno.FsFile | undefined;
  #log: HdrLogWriter | undefined;
  #failure: unknown;

  /**
   * Prepares files; nothing is opened yet.
   *
   * @param options Which.
   */
  constructor(options: BenchFilesOptions) {
    this.#options = options;
  }

  /**
   * Opens them, so that one that cannot be written is noticed before the load and not after it.
   *
   * @param start When the measurement begins, in milliseconds since 1970.
   * @throws {MeariError} If one cannot be written.
   */
  open(start: number): void {
    if (this.#opened) return;
    this.#opened = true;
    const { hdr, html, endpoints } = this.#options;
    if (html !== undefined) checkWritable(html);
    if (hdr === undefined) return;
    const file = writing(hdr, () => Deno.openSync(hdr, { write: true, create: true, truncate: true }));
    this.#file = file;
    const write = (text: string) => {
      const bytes = new TextEncoder().encode(text);
      writing(hdr, () => {
        for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
      });
    };
    const comments = [`meari bench ${endpoints.map(formatEndpoint).join(" ")}`];
    this.#log = new HdrLogWriter(write, { start, comments });
  }

  /**
   * Begins to take what a load measures.
   *
   * @param endpoint The server.
   * @returns Takes an interval. Where the log cannot be written any more, {@linkcode finish} tells.
   */
  beginSeries(endpoint: Endpoint): (interval: MeasuredInterval) => void {
    const label = formatEndpoint(endpoint);
    const tag = this.#options.endpoints.length > 1 ? { tag: label } : {};
    const series = this.#series.get(label) ?? { label, latencies: new LatencyRecorder(), intervals: [] };
    this.#series.set(label, series);
    // The rounds of a comparison follow each other without the other server's time between them.
    const resume = series.intervals.at(-1)?.end;
    let shift: number | undefined;
    return ({ start, end, latencies }) => {
      try {
        this.#log?.write({ ...tag, start, end, latencies });
      } catch (error) {
        // A full disk must not cost the result.
        this.#failure = error;
        this.#log = undefined;
      }
      if (this.#options.html === undefined) return;
      shift ??= resume === undefined ? 0 : resume - start;
      series.latencies.add(latencies);
      series.intervals.push({ start: start + shift, end: end + shift, count: latencies.count });
    };
  }

  /**
   * Writes the page.
   *
   * @throws {MeariError} If it cannot be written, or the log could not.
   */
  async finish(): Promise<void> {
    const { html } = this.#options;
    if (html !== undefined && this.#opened) {
      const { renderReport } = await import("../report/page.ts");
      await replaceFile(html, renderReport([...this.#series.values()]));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  [Symbol.dispose](): void {
    this.#file?.close();
  }
}

function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw new MeariError(`cannot write ${escapeControls(path)}: ${describeCause(error)}`, { cause: error });
  }
}
