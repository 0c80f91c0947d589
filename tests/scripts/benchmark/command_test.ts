import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MeariError } from "../../../lib/errors.ts";
import { benchmark } from "../../../scripts/benchmark/command.ts";
import type { BenchmarkOptions } from "../../../scripts/benchmark/options.ts";
import { bounded } from "../../helpers/bounded.ts";
import { program, ROOT } from "../../helpers/meari.ts";
import { needs, PYTHON } from "../../helpers/programs.ts";

const programs = { server: program("meari-server"), client: program("meari") };

/** What a short benchmark measures, of our servers and of others. */
const SHORT: Pick<BenchmarkOptions, "only" | "peers" | "rounds" | "duration"> = {
  only: ["rtt"],
  peers: [],
  rounds: 1,
  duration: 100,
};

/** Tells nobody anything. */
const silent = { say: () => {}, prepare: () => {}, step: () => {} };

const { signal } = new AbortController();

/** A benchmark takes its time: CI runs it, with the executables. */
const compiled = Deno.env.get("MEARI_DIST") !== undefined;

bounded("benchmark() measures our server beside a peer", async () => {
  needs(PYTHON);
  const said: string[] = [];
  const progress = { ...silent, say: (text: string) => said.push(text) };
  const result = await benchmark({ ...SHORT, only: ["rtt", "udp-rtt"], peers: ["python"] }, programs, progress, signal);
  assertEquals(result.not_measured, []);
  const ours = result.servers.filter(({ ours }) => ours).map(({ id }) => id);
  assertEquals(result.servers.map(({ id }) => id), [...ours, "python"]);
  assert(ours.length > 0);
  for (const { results, ratio } of result.loads) {
    for (const { id } of result.servers) assert(results[id]!.messages_per_s!.median > 0);
    for (const id of ours) assert(ratio[id]!.python!.messages_per_s!.median > 0);
  }
  assertMatch(said.join("\n"), /^\d+ measurements of \d+ servers, some \d+s$/);
}, { seconds: 60, ignore: !compiled || Deno.build.os === "windows" });

bounded("benchmark() compiles the peer in C, and what tells accepts, memory and fairness", async () => {
  needs("cc");
  const result = await benchmark({ ...SHORT, only: ["fair", "idle"], peers: ["c"] }, programs, silent, signal);
  assertEquals(result.not_measured, []);
  const [fair, idle] = result.loads.map(({ results }) => results.c!);
  assert(fair!.fairness!.median > 0);
  assert(idle!.accepts_per_s!.median > 0 && idle!.bytes_per_connection!.median >= 0);
}, { seconds: 60, ignore: !compiled || Deno.build.os !== "linux" });

bounded("benchmark() ends what it has started when a signal ends it", async () => {
  // The sanitizers fail where a process is left, or what reads from it.
  for (const [when, duration] of [[0, 100], [200, 60_000]] as const) {
    const stopping = new AbortController();
    const step = () => {
      if (when === 0) stopping.abort(new MeariError("enough"));
      else setTimeout(() => stopping.abort(new MeariError("enough")), when);
    };
    const ended = benchmark({ ...SHORT, duration }, programs, { ...silent, step }, stopping.signal);
    await assertRejects(() => ended, MeariError, "enough");
  }
}, { seconds: 60, ignore: !compiled || Deno.build.os === "windows" });

bounded("benchmark() says how to come by our server when it is missing", async () => {
  const missing = { ...programs, server: [`${ROOT}/no/meari-server`] };
  await assertRejects(() => benchmark(SHORT, missing, silent, signal), MeariError, 'run "deno task compile" first');
});
