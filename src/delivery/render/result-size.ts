import { ERRORS } from '../../errors/codes.ts'

/** Limit of a result's JSON: thousands of whole orders. More needs several requests, or a stream. */
export const MAX_RESULT_BYTES = 4 * 1024 * 1024
/** UTF-8 bytes of one UTF-16 code unit, at most. */
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

/** The JSON of a result, or of the error that replaces it if it exceeds the limit. */
export function boundedJson(json: string): string {
  if (json.length * MAX_CHAR_BYTES <= MAX_RESULT_BYTES) return json
  return json.length > MAX_RESULT_BYTES || Buffer.byteLength(json) > MAX_RESULT_BYTES ? TOO_LARGE : json
}
