import { type Endpoint, parseEndpoint } from "../../lib/endpoint.ts";

const MAIN = new URL("../../server/main.ts", import.meta.url).href;

/** How a {@linkcode ServerProcess} is started. */
export interface ServerProcessOptions {
  /** What a shell does first, such as `ulimit -n 64`. */
  limits?: string;
  /** Environment variables; the language is English unless one says otherwise. */
  env?: Record<string, string>;
  /** Where stdout goes instead of to `lines`: a shell's redirection such as `>/dev/full`. */
  redirect?: string;
}

/** How a process ended. */
export interface End {
  code: number;
  stderr: string;
}

/** meari-server in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  /** The lines of its stdout so far. */
  readonly lines: string[] = [];
  /** Resolves once it has ended. */
  readonly ended: Promise<End>;
  #process: Deno.ChildProcess;
  #reader = new AbortController();
  #waiting = new Set<() => void>();

  constructor(args: string[], options: ServerProcessOptions = {}) {
    const call = [Deno.execPath(), "run", "-A", MAIN, ...args];
    const script = `${options.limits ?? ":"}; exec "$@" ${options.redirect ?? ""}`;
    const [program, ...rest] = options.limits || options.redirect ? ["sh", "-c", script, "sh", ...call] : call;
    this.#process = new Deno.Command(program!, {
      args: rest,
      env: { LC_ALL: "C.UTF-8", NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#run();
  }

  /** Waits until stdout has a line that fits; returns the first. */
  async line(fits: (line: string) => boolean): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const look = () => {
      const found = this.lines.find(fits);
      if (found !== undefined) resolve(found);
    };
    this.#waiting.add(look);
    look();
    this.ended.then(({ stderr }) => reject(new Error(`it has ended before it wrote that: ${stderr}`)));
    try {
      return await promise;
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Waits until it serves; returns the first endpoint that its log names. */
  async endpoint(): Promise<Endpoint> {
    const place = /\b(?:tcp|udp|unix|unixgram):\/\/[^\s"]+/;
    return parseEndpoint(place.exec(await this.line((line) => place.test(line)))![0]);
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Goes away as the reader of its stdout. */
  closeStdout(): void {
    this.#reader.abort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended;
  }

  async #run(): Promise<End> {
    const [stderr] = await Promise.all([new Response(this.#process.stderr).text(), this.#read()]);
    return { code: (await this.#process.status).code, stderr };
  }

  async #read(): Promise<void> {
    let rest = "";
    const { signal } = this.#reader;
    try {
      for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream(), { signal })) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        this.lines.push(...lines);
        for (const look of [...this.#waiting]) look();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (rest !== "") this.lines.push(rest);
  }
}
