import type { Service } from "../../server/services/service.ts";

/** A service that takes everything and answers nothing, as discard does (RFC 863). */
export const silentService: Service = {
  serveStream: () => Promise.reject(new Error("it serves no streams")),
  answer: () => undefined,
  isLast: () => false,
};
