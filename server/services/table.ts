/**
 * The table of services: a new one is a file of this folder and a row here.
 *
 * @module
 */

import type { EndpointOptions } from "../../lib/transport/mod.ts";
import { echo } from "./echo.ts";
import type { ServiceType } from "./service.ts";

/** The services there are, by name. */
export const services: Readonly<Record<"echo", ServiceType>> = { echo };

/** The options that an endpoint of the server may carry behind `?`, besides those of its transport. */
export const serviceOptions: EndpointOptions = Object.assign(
  {},
  ...Object.values(services).map((type) => type.options),
);
