import type { ChatTerminal } from "../../client/talk/chat.ts";

/** A terminal at which a test types. It notes what is shown, and each prompt as `> ` before the line typed there. */
export class ScriptedTerminal implements ChatTerminal {
  /** What was shown and typed so far. */
  readonly shown: string[] = [];
  readonly closed: Promise<undefined>;
  #lines: string[];
  #close = Promise.withResolvers<undefined>();
  #isClosed = false;
  #come = Promise.withResolvers<void>();

  /** @param lines What is typed at each prompt in turn; nothing after them, until it is closed. */
  constructor(...lines: string[]) {
    this.#lines = lines;
    this.closed = this.#close.promise;
  }

  /** Waits until a line has been shown. */
  async shows(line: string): Promise<void> {
    while (!this.shown.includes(line)) await this.#come.promise;
  }

  say(line: string): void {
    this.shown.push(line);
    this.#come.resolve();
    this.#come = Promise.withResolvers();
  }

  async read(): Promise<string | undefined> {
    if (this.#isClosed) return undefined;
    const line = this.#lines.shift();
    this.say(`> ${line ?? ""}`);
    return line ?? await this.closed;
  }

  close(): void {
    this.#isClosed = true;
    this.#close.resolve(undefined);
  }
}
