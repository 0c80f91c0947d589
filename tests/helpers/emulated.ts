/** Whether tests run on an emulated processor: qemu-user is slow, and knows neither SO_TIMESTAMPNS nor SO_MEMINFO. */
export const EMULATED = Deno.env.has("MEARI_DENO");
