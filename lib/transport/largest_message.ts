/**
 * How long a message may be.
 *
 * @module
 */

/**
 * The most bytes that a message may have, over any transport: what both programs have room for. UDP carries less, as its
 * length field has 16 bits (RFC 768), and so does a Unix socket, whose limit is the sender's buffer: 208 KiB on Linux
 * unless set.
 */
export const LARGEST_MESSAGE = 256 * 1024;
