import { builder } from '../schema/types/builder.ts'
import { StreamInfo } from '../schema/types/stream-info.ts'

builder.queryField('streams', (t) =>
  t.field({
    type: [StreamInfo],
    description: 'The topics behind this API.',
    resolve: (_root, _args, { streams }) => [...streams.feeds],
  }),
)
