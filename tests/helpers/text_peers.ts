/** What peers do to bytes that they take for text: each changes some byte values, or the places of bytes. */
export const TEXT_PEERS: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  "writes capitals": (bytes) => bytes.map((byte) => byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte),
  "writes small letters": (bytes) => bytes.map((byte) => byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte),
  "strips the eighth bit": (bytes) => bytes.map((byte) => byte & 0x7f),
  "swaps each two bytes": (bytes) => bytes.map((byte, index) => bytes[index ^ 1] ?? byte),
  "writes CR LF for LF": (bytes) =>
    Uint8Array.from([...bytes].flatMap((byte) => byte === 0x0a ? [0x0d, 0x0a] : [byte])),
};
