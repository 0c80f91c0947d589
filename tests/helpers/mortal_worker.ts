/**
 * A worker of the native engine that dies of a fault when it is to tell of the message "die".
 *
 * @module
 */

import "./mortal_outbox.ts";
import "../../server/native/worker.ts";
