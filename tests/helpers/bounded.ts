import { EMULATED } from "./emulated.ts";

/** How many times as long a test may take. */
const SLOWNESS = EMULATED ? 4 : 1;

/** A test that may not take longer than a time. */
export interface BoundedTest {
  /** The most it may take, in seconds. Default: 30. */
  seconds?: number;
  /** Whether it cannot run here. */
  ignore?: boolean;
  /** `false` where Deno itself leaves a resource behind. */
  sanitizeResources?: boolean;
  /** `false` where Deno itself leaves an operation behind. */
  sanitizeOps?: boolean;
}

/** Registers a test that fails when it takes too long, so that a lost event cannot hang the whole set. */
export function bounded(name: string, run: () => Promise<void>, { seconds = 30, ...about }: BoundedTest = {}) {
  Deno.test({ name, ...about, fn: () => within(seconds * SLOWNESS * 1000, run()) });
}

/** Awaits a promise for so many milliseconds at the most. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, bound]);
  } finally {
    clearTimeout(timer);
  }
}
