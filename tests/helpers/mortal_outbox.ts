import { Outbox } from "../../server/native/outbox.ts";

const { add } = Outbox.prototype;
Outbox.prototype.add = function (event, now) {
  if (event.type === "echoed" && new TextDecoder().decode(event.message) === "die") throw new Error("a fault of ours");
  add.call(this, event, now);
};
