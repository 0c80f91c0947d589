import { assert, assertEquals } from "@std/assert";
import { HistogramLogReader, listTags } from "hdr-histogram-js";
import { readHdrLog } from "../../../client/measure/hdr_log_reader.ts";
import { HdrLogWriter } from "../../../client/measure/hdr_log_writer.ts";
import { PYTHON, run } from "../../helpers/programs.ts";
import { logOf, recorderOf, START } from "../../helpers/reports.ts";

Deno.test("HdrLogWriter writes the head that the tools of HdrHistogram know", () => {
  assertEquals(logOf(0).split("\n"), [
    "#[Values are in nanoseconds, Interval_Max is in milliseconds: ratio 1000000.0]",
    "#[Histogram log format version 1.3]",
    "#[StartTime: 1700000000.000 (seconds since epoch), 2023-11-14T22:13:20.000Z]",
    "#[BaseTime: 1700000000.000 (seconds since epoch)]",
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    "",
  ]);
});

Deno.test("HdrLogWriter.write() writes times in seconds, the longest latency in milliseconds, and the tag", () => {
  const lines = logOf(0, { latencies: [83_000] }, { tag: "udp", latencies: [2_500_000] }).split("\n").slice(5);
  assert(lines[0]!.startsWith("0.000,1.000,0.083,HISTF"), lines[0]);
  assert(lines[1]!.startsWith("Tag=udp,1.000,1.000,2.500,HISTF"), lines[1]);
});

Deno.test("HdrLogWriter.write() keeps a tag or a comment from breaking the format", async () => {
  let text = "";
  const log = new HdrLogWriter((written) => text += written, { start: START, comments: ["one\ntwo"] });
  log.write({ tag: "a, b\n#c", start: START, end: START + 1000, latencies: recorderOf(1) });
  assert(text.startsWith("#[one two]\n#[Values"));
  assertEquals(await Array.fromAsync(readHdrLog([text], "log"), ({ tag }) => tag), ["a__b_#c"]);
});

Deno.test("HdrLogWriter writes what the reader of hdr-histogram-js reads", () => {
  const text = logOf(0, { tag: "tcp", latencies: [1000, 2000, 4000] }, { latencies: [7000] });
  assertEquals(listTags(text), ["NO TAG", "tcp"]);
  const reader = new HistogramLogReader(text, 64);
  const first = reader.nextIntervalHistogram()!;
  assertEquals([first.tag, first.totalCount, first.startTimeStampMsec, first.endTimeStampMsec], [
    "tcp",
    3,
    START,
    START + 1000,
  ]);
  assertEquals([25, 50, 100].map((p) => first.getValueAtPercentile(p)), [1000, 2000, 4001]);
  assertEquals(reader.nextIntervalHistogram()!.getValueAtPercentile(50), 7003);
  assertEquals(reader.nextIntervalHistogram(), null);
});

Deno.test("HdrLogWriter writes what a decoder of the V2 encoding written for this test reads", async () => {
  // From the description of the format alone: https://github.com/HdrHistogram/HdrHistogram, package-info.java.
  const program = `import base64, json, struct, sys, zlib
def words(data):
    while data:
        value = shift = 0
        for size in range(1, 10):
            byte = data[size - 1]
            value |= (byte if size == 9 else byte & 127) << shift
            shift += 7
            if size == 9 or byte < 128: break
        data = data[size:]
        yield (value >> 1) ^ -(value & 1)
result = []
for line in sys.stdin.read().splitlines():
    if line[0] in '#"': continue
    raw = base64.b64decode(line.split(",")[-1], validate=True)
    cookie, length = struct.unpack(">ii", raw[:8])
    data = zlib.decompress(raw[8:8 + length])
    inner, size, offset, digits, low, high, ratio = struct.unpack(">iiiiqqd", data[:40])
    counts = {}
    index = 0
    for word in words(data[40:40 + size]):
        if word > 0:
            bucket = max(index // 1024 - 1, 0)
            counts[(index - 1024 * bucket) << bucket] = word
        index += max(1, -word)
    result.append([hex(cookie), hex(inner), digits, low, high, sorted(counts.items())])
print(json.dumps(result))`;
  const text = logOf(0, { latencies: [1, 1, 2047, 83_000, 83_001, 2 ** 31] }, { latencies: [] });
  const { text: json, stderr } = await run(PYTHON, ["-c", program], text);
  assertEquals(stderr, "");
  const head = ["0x1c849314", "0x1c849313", 3, 1, 14_400_000_000_000];
  assertEquals(JSON.parse(json), [
    [...head, [[1, 2], [2047, 1], [82_944, 2], [2 ** 31, 1]]],
    [...head, []],
  ]);
});
