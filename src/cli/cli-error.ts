/** What a command says instead of a stack: its message is for a person, and its exit code for a script. */
export class CliError extends Error {
  override readonly name = 'CliError'
  /** 1: something is wrong with what was asked for; 2: the command was used wrongly. */
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}
