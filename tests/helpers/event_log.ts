import type { ServerEvent } from "../../server/events.ts";

type EventOf<T extends ServerEvent["type"]> = Extract<ServerEvent, { type: T }>;

/** What a server told, kept, and awaited by those who need it to have happened. */
export class EventLog {
  readonly all: ServerEvent[] = [];
  #waiting = new Set<() => void>();

  /** Takes an event; to be given to the server as a subscriber. */
  readonly add = (event: ServerEvent): void => {
    this.all.push(event.type === "echoed" ? { ...event, message: event.message.slice() } : event);
    for (const look of [...this.#waiting]) look();
  };

  /** All events of a type so far. */
  of<T extends ServerEvent["type"]>(type: T): EventOf<T>[] {
    return this.all.filter((event): event is EventOf<T> => event.type === type);
  }

  /** Waits until there have been so many events of a type; returns the last of them. */
  async nth<T extends ServerEvent["type"]>(count: number, type: T): Promise<EventOf<T>> {
    await this.until(() => this.of(type).length >= count);
    return this.of(type)[count - 1]!;
  }

  /** Waits until something holds, looking at each event. */
  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => holds() && resolve();
    this.#waiting.add(look);
    await promise;
    this.#waiting.delete(look);
  }
}
