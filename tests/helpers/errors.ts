/** Makes an error as the operating system's are: with a code. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code} happened`), { code });
}
