import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { renderReport } from "../../../client/report/page.ts";
import { chartsOf, seriesOf } from "../../helpers/reports.ts";

Deno.test("renderReport() makes a page that loads nothing", () => {
  const page = renderReport([seriesOf("a", 1000, 2000), seriesOf("b", 3000)]);
  for (
    const loads of [/\ssrc\s*=/i, /<link/i, /@import/i, /url\(/i, /<iframe/i, /<img/i, /\bfetch\(/, /XMLHttpRequest/]
  ) {
    assert(!loads.test(page), String(loads));
  }
  assertMatch(page, /Content-Security-Policy" content="default-src 'none'; /);
  assertStringIncludes(page, "uPlot=function");
  assertStringIncludes(page, "Copyright (c) 2022 Leon Sorokin");
});

Deno.test("renderReport() allows its own script and no other to run", async () => {
  const page = renderReport([seriesOf("a", 1000)]);
  const script = /<script>(.*)<\/script>/s.exec(page)![1]!;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script)));
  assertStringIncludes(page, `script-src 'sha256-${hash.toBase64()}'"`);
});

Deno.test("renderReport() escapes a label that would break out of the page", () => {
  const label = `</script><script>alert("1")</script><img src=x onerror='alert(2)'> & <!--`;
  const page = renderReport([seriesOf(label, 1000)]);
  assertEquals(page.match(/<script/g)?.length, 2);
  assertEquals(page.match(/<\/script/g)?.length, 2);
  assert(!page.includes("<img") && !page.includes("<!--"));
  assertEquals(chartsOf(page).labels, [label]);
});

Deno.test("renderReport() escapes control characters, and keeps labels apart that look alike then", () => {
  const page = renderReport([seriesOf("a\x1b[2J\u202e", 1000), seriesOf("a\\x1b[2J\\u202e", 1000)]);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f\u202e]/.test(page.replace(/<script>.*<\/script>/s, "")));
  assertEquals(chartsOf(page).labels, ["a\\x1b[2J\\u202e", "a\\x1b[2J\\u202e (2)"]);
  for (const label of chartsOf(page).labels) assertStringIncludes(page, `</span>${label}</th>`);
});

Deno.test("renderReport() makes a page of a series without a message or an interval", () => {
  assertStringIncludes(renderReport([{ ...seriesOf("none"), intervals: [] }]), "1 series, 0 messages</p>");
});
