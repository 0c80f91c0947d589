import type { Endpoint } from "../../lib/endpoint.ts";
import { within } from "./bounded.ts";
import { connect } from "./streams.ts";

/** Connects to a server that starts at this moment and has no way to tell that it listens. */
export async function connectSoon(endpoint: Endpoint): Promise<Deno.Conn> {
  let over = false;
  const trying = async () => {
    while (true) {
      try {
        return await connect(endpoint);
      } catch (error) {
        if (over) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  try {
    return await within(20_000, trying());
  } finally {
    over = true;
  }
}
