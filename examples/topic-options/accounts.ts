import { z } from 'zod'
import { defineTopic } from '../../src/streams/topic/topic.ts'

const AccountEvent = z.object({
  id: z.string(),
  status: z.enum(['OPEN', 'CLOSED']),
  owner: z.object({ id: z.string() }).nullable(),
})
export type AccountEvent = z.output<typeof AccountEvent>

export const accounts = defineTopic('accounts', {
  schema: AccountEvent,
  // An account's id is the key of its record only.
  codec: (bytes, { key }) => ({ ...JSON.parse(bytes.toString()), id: key }),
  index: {
    id: ({ id }) => id,
    ownerId: ({ owner }) => owner?.id,
    source: (_account, { headers }) => headers.source,
  },
  tombstones: ({ key }) => ({ id: key ?? '', status: 'CLOSED', owner: null }),
})
