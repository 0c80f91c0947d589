import type { Engine } from "../../server/events.ts";
import { bounded, type BoundedTest } from "./bounded.ts";

/** What can serve TCP and UDP here. */
export const engines: readonly Engine[] = Deno.build.os === "linux" ? ["native", "portable"] : ["portable"];

/** Registers a test once for each engine, which its name says. */
export function onEachEngine(name: string, run: (engine: Engine) => Promise<void>, about?: BoundedTest): void {
  for (const engine of engines) bounded(`${name} (${engine})`, () => run(engine), about);
}

/** What only Linux has. */
export const linuxOnly = { ignore: Deno.build.os !== "linux" };
