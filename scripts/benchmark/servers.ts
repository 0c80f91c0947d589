/**
 * The servers that are measured: meari-server, and echo servers of other makes that are installed.
 *
 * @module
 */

import { closeListening, type Endpoint, listen } from "../../lib/transport/mod.ts";
import { MeariError } from "../../lib/errors.ts";

/** A peer, as `--peers` takes it. */
export type PeerName = "c" | "go" | "node" | "python" | "socat" | "ncat";

/** What kind of echo server a peer is. */
interface Peer {
  /** How tables call it. */
  name: string;
  /** Asks the program that it needs for its version. */
  version: readonly string[];
  /** Compiles it to a file, where it must be compiled. */
  build?: (to: string) => string[];
  /** The command that starts it. */
  command: (built: string) => string[] | Promise<string[]>;
  /** Finds the port of TCP, and of UDP where it serves that, in what it prints. */
  ports: RegExp;
  /** Whether it makes a process of each connection. */
  forks?: boolean;
}

const PRINTED_PORTS = /^(\d+) (\d+)$/m;

/** The peers. */
export const PEERS: Record<PeerName, Peer> = {
  c: {
    name: "C",
    version: ["cc", "--version"],
    build: (to) => ["cc", "-O2", "-o", to, "scripts/peers/epoll_echo.c"],
    command: (built) => [built],
    ports: PRINTED_PORTS,
  },
  go: {
    name: "Go",
    version: ["go", "version"],
    build: (to) => ["go", "build", "-o", to, "scripts/peers/go_echo.go"],
    command: (built) => [built],
    ports: PRINTED_PORTS,
  },
  node: {
    name: "Node",
    version: ["node", "--version"],
    command: () => ["node", "scripts/peers/node_echo.mjs"],
    ports: PRINTED_PORTS,
  },
  python: {
    name: "Python",
    version: ["python3", "--version"],
    command: () => ["python3", "scripts/peers/asyncio_echo.py"],
    ports: PRINTED_PORTS,
  },
  socat: {
    name: "socat",
    version: ["socat", "-V"],
    command: () => ["socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork,nodelay", "EXEC:cat"],
    ports: /listening on .*:(\d+)$/m,
    forks: true,
  },
  ncat: {
    name: "ncat",
    version: ["ncat", "--version"],
    // It does not tell which port the kernel chose.
    command: async () => ["ncat", "-v", "-l", "-k", "-e", "/bin/cat", "127.0.0.1", `${await freePort()}`],
    ports: /Listening on 127\.0\.0\.1:(\d+)$/m,
    forks: true,
  },
};

/** A server that can be started. */
export interface Server {
  /** As results call it. */
  id: string;
  /** As tables call it. */
  name: string;
  /** The version of what runs or compiles it; empty where it does not say. */
  version: string;
  /** Whether it is meari-server. */
  ours: boolean;
  /** Whether it makes a process of each connection. */
  forks: boolean;
  /** Makes the command that starts it. */
  command: () => string[] | Promise<string[]>;
  /** Finds its ports in what it prints. */
  ports: RegExp;
}

/**
 * Tells which of our servers there are: one for each engine that it has.
 *
 * @param program The command that runs meari-server.
 * @returns The servers.
 * @throws {MeariError} If the program is not there.
 */
export async function ourServers(program: readonly string[]): Promise<Server[]> {
  if (await outputOf([...program, "--version"]) === undefined) {
    throw new MeariError(`${program[0]} is missing; run "deno task compile" first`);
  }
  return ["native", "portable"].map((engine) => ({
    id: engine,
    name: `meari ${engine}`,
    version: "",
    ours: true,
    forks: false,
    command: () => [...program, "-p", "0", "--lang", "en", "--engine", engine],
    ports: /tcp:\/\/127\.0\.0\.1:(\d+)[^]*udp:\/\/127\.0\.0\.1:(\d+)/,
  }));
}

/**
 * Makes a peer ready to be started.
 *
 * @param id Which.
 * @param folder Where what must be compiled is put.
 * @param compile Runs a compiler; throws where that fails.
 * @returns The server.
 * @throws {MeariError} If it is not installed, or does not compile.
 */
export async function preparePeer(
  id: PeerName,
  folder: string,
  compile: (command: string[]) => Promise<void>,
): Promise<Server> {
  const { name, version, build, command, ports, forks = false } = PEERS[id];
  const told = await outputOf(version);
  if (told === undefined) throw new MeariError(`${version[0]} is missing`);
  const built = `${folder}/${id}`;
  if (build !== undefined) await compile(build(built));
  return {
    id,
    name,
    version: /\d+(?:\.\d+)+/.exec(told)?.[0] ?? "",
    ours: false,
    forks,
    command: () => command(built),
    ports,
  };
}

/** Runs a program that tells something about itself; gives what it says, and `undefined` where it is not there. */
async function outputOf([program = "", ...args]: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
    return success ? new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A port of 127.0.0.1 that was free a moment ago. */
async function freePort(): Promise<number> {
  const endpoint: Endpoint = { transport: "tcp", host: "127.0.0.1", port: 0, options: {} };
  const listening = await listen(endpoint);
  closeListening(listening);
  return (listening.endpoint as typeof endpoint).port;
}
