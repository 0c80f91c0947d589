import { within } from "./bounded.ts";

/** How long anything that is waited for may take, in milliseconds. */
const BOUND = 20_000;

/** What comes out of a program, kept, and awaited by those who need it to have come. */
export class Tail {
  /** All bytes so far. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** How many bytes there were so far. */
  count = 0;
  /** Resolves at the end of the stream. */
  readonly ended: Promise<void>;
  #from: string;
  #discard: boolean;
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #decoder = new TextDecoder();
  #text = "";
  #isOver = false;
  #come = Promise.withResolvers<void>();

  /** `from` says in an error what it is; `discard` counts the bytes and keeps none. */
  constructor(stream: ReadableStream<Uint8Array>, from: string, discard = false) {
    this.#from = from;
    this.#discard = discard;
    this.#reader = stream.getReader();
    this.ended = this.#follow();
  }

  /** All text so far. */
  get text(): string {
    return this.#text;
  }

  /** All lines so far that are complete. */
  get lines(): string[] {
    return this.#text.split("\n").slice(0, -1);
  }

  /** Waits until some text has come; returns how it matched. `from` is where in the text to look first. */
  async until(pattern: RegExp | string, from = 0): Promise<RegExpExecArray> {
    const wanted = typeof pattern === "string" ? new RegExp(RegExp.escape(pattern)) : pattern;
    const look = async () => {
      while (true) {
        const match = wanted.exec(this.#text.slice(from));
        if (match) return match;
        if (this.#isOver) throw new Error("it has ended");
        await this.#come.promise;
      }
    };
    try {
      return await within(BOUND, look());
    } catch (error) {
      const why = (error as Error).message;
      throw new Error(`${wanted} did not come from ${this.#from}: ${why}; so far ${JSON.stringify(this.#text)}`);
    }
  }

  /** Closes this end of the pipe, as `head` does: who writes more fails. */
  async close(): Promise<void> {
    await this.#reader.cancel();
  }

  async #follow(): Promise<void> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let read = await this.#reader.read(); !read.done; read = await this.#reader.read()) {
      const part = read.value;
      this.count += part.length;
      if (this.#discard) continue;
      parts.push(part.slice());
      this.#text += this.#decoder.decode(part, { stream: true });
      this.#wake();
    }
    this.bytes = await new Blob(parts).bytes();
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    const { resolve } = this.#come;
    this.#come = Promise.withResolvers<void>();
    resolve();
  }
}

/** How a program is started. */
export interface StartOptions {
  /** Variables on top of the environment. */
  env?: Record<string, string>;
  /** The folder it runs in. */
  cwd?: string;
  /** Whether to keep nothing of its stdout. */
  discard?: boolean;
}

/** A program that runs; it is killed when disposed. */
export class Running implements AsyncDisposable {
  readonly stdout: Tail;
  readonly stderr: Tail;
  readonly pid: number;
  #child: Deno.ChildProcess;
  #input: WritableStreamDefaultWriter<Uint8Array>;
  #over = false;

  constructor([program = "", ...args]: readonly string[], { discard = false, ...options }: StartOptions = {}) {
    this.#child = new Deno.Command(program, { args, ...options, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.pid = this.#child.pid;
    this.stdout = new Tail(this.#child.stdout, "stdout", discard);
    this.stderr = new Tail(this.#child.stderr, "stderr");
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {});
  }

  /** Writes to its stdin; it may have stopped reading. */
  async type(input: string | Uint8Array): Promise<void> {
    const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
    await this.#input.write(bytes).catch(() => {});
  }

  /** Ends its stdin. */
  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, and for all that it wrote; returns its exit code. */
  async exit(): Promise<number> {
    const over = Promise.all([this.#child.status, this.stdout.ended, this.stderr.ended]);
    const [{ code }] = await within(BOUND, over).catch((error) => {
      throw new Error(`it does not end: ${error.message}; stdout ${this.stdout.text}; stderr ${this.stderr.text}`);
    });
    this.#over = true;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) {
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
    }
    await this.endInput();
    await this.#child.status;
    // A child of its own may live on and hold these.
    await Promise.all([this.stdout.close(), this.stderr.close()]);
  }
}
