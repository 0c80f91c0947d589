/** What the descriptors are that a process has open: those of a kind, such as `socket`, or all. */
export function openDescriptors(pid: number, kind = ""): string[] {
  const folder = `/proc/${pid}/fd`;
  return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
    try {
      return Deno.readLinkSync(`${folder}/${name}`);
    } catch {
      // It was closed meanwhile.
      return [];
    }
  }).filter((what) => what.startsWith(kind));
}

/** How much memory a process has in use, in KiB. */
export function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

/** How much time of the processor a process has used, its children aside, in hundredths of a second (proc_pid_stat(5)). */
export function processorTime(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The second field, in parentheses, may have anything in it; utime and stime are the 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

/** Waits until something holds, looking again and again, for 10 seconds at the most. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() >= deadline) throw new Error(`not within 10 seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
