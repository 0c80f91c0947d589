/**
 * No transport of the table is of the kind "message" yet. This one stands for those to come, so that what the programs do
 * with such a one is tried; the first of them replaces it.
 *
 * @module
 */

import { framed } from "../helpers/framed.ts";
import { ownTransport } from "../helpers/own_transport.ts";

ownTransport("framed", framed);
