import type { SchemaTypes } from '@pothos/core'
import { MAX_EVERY_MS, MIN_EVERY_MS, THROTTLE_MODES } from './throttle.ts'

/** Adds the types of the argument that throttles a stream field. */
export function addThrottle(builder: PothosSchemaTypes.SchemaBuilder<SchemaTypes>): void {
  const mode = builder.enumType('ThrottleMode', {
    description:
      'Which event goes out where several come in an interval. In both modes the first one goes out at once.',
    values: THROTTLE_MODES,
  })
  builder.inputType('Throttle', {
    description: 'At most one event in an interval: of all, or of those that have one value of a field.',
    fields: (t) => ({
      everyMs: t.int({
        required: true,
        description: `The interval in milliseconds, from ${MIN_EVERY_MS} to ${MAX_EVERY_MS}.`,
      }),
      mode: t.field({
        type: mode,
        required: true,
        defaultValue: 'LATEST',
        description: 'What becomes of the events that follow within the interval.',
      }),
      by: t.string({
        description:
          'The path of a field, such as "merchantId" or "total.currency": each of its values has an interval of its own.',
      }),
    }),
  })
}
