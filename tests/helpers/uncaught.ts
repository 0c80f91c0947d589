/** Keeps what is reported as an uncaught exception, which would end the test run, until disposed. */
export class Uncaught implements Disposable {
  readonly messages: string[] = [];
  #listener = (event: ErrorEvent) => {
    event.preventDefault();
    this.messages.push(event.error instanceof Error ? event.error.message : String(event.error));
  };

  constructor() {
    globalThis.addEventListener("error", this.#listener);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("error", this.#listener);
  }
}
