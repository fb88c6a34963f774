/** Why no project can be written, as a sentence for the person who asked for it. */
export class InitError extends Error {
  override readonly name = 'InitError'
}
