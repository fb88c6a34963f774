import { CliError } from '../cli-error.ts'

/** Why no project can be written, as a sentence for the person who asked for it. */
export class InitError extends CliError {
  constructor(message: string, { cause }: ErrorOptions = {}) {
    super(message)
    this.cause = cause
  }
}
