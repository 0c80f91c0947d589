import { needs, type Outcome, PYTHON, run } from "./programs.ts";

/** Builds each packet by hand: the header's fields are ports, length, and a checksum of 0, which stands for none (RFC 768). */
const PROGRAM = `
import socket, struct, sys
to, count, text = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode()
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for port in map(int, sys.argv[4:]):
    for _ in range(count):
        raw.sendto(struct.pack("!HHHH", port, to, 8 + len(text), 0) + text, ("127.0.0.1", 0))
`;

/**
 * Sends datagrams to a port of 127.0.0.1 that claim to come from any port of it, as forged ones do. It needs to be root,
 * or to become it with sudo and no password, and fails otherwise.
 *
 * @param to The port.
 * @param from The ports that they claim to come from.
 * @param about How many from each, and what they hold.
 */
export async function sendForged(
  to: number,
  from: readonly number[],
  { count = 1, text = "forged" } = {},
): Promise<void> {
  const command = [PYTHON, "-c", PROGRAM, `${to}`, `${count}`, text, ...from.map(String)];
  const [program = "", ...args] = Deno.uid() === 0 ? command : [needs("sudo"), "-n", ...command];
  const { code, stderr }: Outcome = await run(program, args);
  if (code !== 0) throw new Error(`this test sends forged datagrams, for which it needs to be root: ${stderr}`);
}
