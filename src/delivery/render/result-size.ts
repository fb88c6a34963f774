import { ERRORS } from '../../errors/codes.ts'

/** Of a result's JSON: thousands of whole orders. More is for several requests, or for a stream. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024
/** A character of a string takes at most so many bytes as UTF-8. */
const MAX_CHAR_BYTES = 3

const TOO_LARGE = JSON.stringify({
  errors: [
    {
      message: `${ERRORS.RESULT_TOO_LARGE.message}: ${MAX_RESULT_BYTES} bytes`,
      extensions: { code: 'RESULT_TOO_LARGE' },
    },
  ],
  data: null,
})

/** The JSON of a result, or that of the error in its place where it is larger than results may be. */
export function boundedJson(json: string): string {
  if (json.length * MAX_CHAR_BYTES <= MAX_RESULT_BYTES) return json
  return json.length > MAX_RESULT_BYTES || Buffer.byteLength(json) > MAX_RESULT_BYTES ? TOO_LARGE : json
}
