import { assertEquals, assertMatch } from "@std/assert";
import { whyNotNative } from "../../../lib/native/layouts.ts";
import { openLibc } from "../../../lib/native/libc.ts";
import { DENO } from "../../helpers/programs.ts";
import { ROOT } from "../../helpers/meari.ts";
import { Running } from "../../helpers/running.ts";

const linux = Deno.build.os === "linux";

/** Any file that may be read. */
const worker = new URL(import.meta.url);

Deno.test("whyNotNative() finds nothing against it on Linux with the C library of GNU, each time it is asked", () => {
  for (let i = 0; i < 2; i++) {
    if (linux) assertEquals(whyNotNative(worker), undefined);
    else assertMatch(whyNotNative(worker)!, /^they need Linux, and this is \w+$/);
  }
});

Deno.test({
  name: "openLibc() returns nothing, and does not ask, when FFI is not permitted",
  ignore: !linux,
  permissions: { ffi: false },
  fn: () => assertEquals(openLibc(), undefined),
});

Deno.test({
  name: "whyNotNative() says that it needs the permission when the program has none",
  ignore: !linux,
  fn: async () => {
    const code = `
import { whyNotNative } from "./lib/native/layouts.ts";
console.log(whyNotNative(new URL("./server/native/worker.ts", import.meta.url)));
`;
    const ffi = "they need the permission --allow-ffi\n";
    const read = "they need the permission --allow-read for the file of their worker\n";
    const all: [permissions: string[], why: string][] = [
      [[], ffi],
      [["--allow-ffi=/lib/libc.so.6"], ffi],
      [["--allow-all", "--deny-ffi"], ffi],
      [["--allow-net", "--allow-ffi"], read],
    ];
    for (const [permissions, why] of all) {
      await using script = new Running([DENO, "run", "--no-prompt", ...permissions, "--ext=ts", "-"], {
        cwd: ROOT,
      });
      await script.type(code);
      await script.endInput();
      assertEquals([await script.exit(), script.stdout.text, script.stderr.text], [
        0,
        why,
        "",
      ]);
    }
  },
});
