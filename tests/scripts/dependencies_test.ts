import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };

/** A lock file of Deno. */
interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, unknown>;
}

function readLock(path: string): Lock {
  return JSON.parse(Deno.readTextFileSync(new URL(`../../${path}`, import.meta.url)));
}

/** Deno fetches whatever deno.json imports and deno.lock names before it runs any task. */
Deno.test("deno.lock names no package of the tests, so that running a program fetches none", () => {
  const [programs, tests] = [readLock("deno.lock"), readLock("tests/deno.lock")];
  const added = Object.keys(tests.npm).filter((name) => !Object.hasOwn(programs.npm, name));
  assertEquals(added.map((name) => name.replace(/@[^@]*$/, "")), ["fast-check", "pure-rand"]);
  assertEquals("imports" in config, false);
});

Deno.test("tests/deno.lock has what deno.lock has, so that tests run on what users run", () => {
  const [programs, tests] = [readLock("deno.lock"), readLock("tests/deno.lock")];
  for (const part of ["specifiers", "npm"] as const) {
    const shared = Object.keys(programs[part]).map((name) => [name, tests[part][name]]);
    assertEquals(Object.fromEntries(shared), programs[part]);
  }
});
