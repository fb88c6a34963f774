import { SluiceError } from '../errors/codes.ts'

export class MethodNotAllowed extends SluiceError {
  readonly allow: string

  constructor(allow: string, message: string) {
    super('METHOD_NOT_ALLOWED', message)
    this.allow = allow
  }
}
