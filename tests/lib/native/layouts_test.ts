import { assertEquals, assertMatch } from "@std/assert";
import { whyNotNative } from "../../../lib/native/layouts.ts";
import { openLibc } from "../../../lib/native/libc.ts";
import { ROOT } from "../../helpers/meari.ts";
import { Running } from "../../helpers/running.ts";

const linux = Deno.build.os === "linux";

Deno.test("whyNotNative() finds nothing against it on Linux with the C library of GNU, each time it is asked", () => {
  for (let i = 0; i < 2; i++) {
    if (linux) assertEquals(whyNotNative(), undefined);
    else assertMatch(whyNotNative()!, /^they need Linux, and this is \w+$/);
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
    const code = `import { whyNotNative } from "./lib/native/layouts.ts"; console.log(whyNotNative());`;
    for (const permissions of [[], ["--allow-ffi=/lib/libc.so.6"], ["--allow-all", "--deny-ffi"]]) {
      await using script = new Running([Deno.execPath(), "run", "--no-prompt", ...permissions, "--ext=ts", "-"], {
        cwd: ROOT,
      });
      await script.type(code);
      await script.endInput();
      assertEquals([await script.exit(), script.stdout.text, script.stderr.text], [
        0,
        "they need the permission --allow-ffi\n",
        "",
      ]);
    }
  },
});
