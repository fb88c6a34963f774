import { builder } from '../../src/schema/types/builder.ts'
import { type AccountEvent, accounts } from './accounts.ts'

interface AccountChange extends AccountEvent {
  readonly changedAt: Date
}

const AccountChange = builder.objectRef<AccountChange>('AccountChange').implement({
  fields: (t) => ({
    id: t.exposeID('id'),
    status: t.exposeString('status'),
    changedAt: t.expose('changedAt', { type: 'DateTime' }),
  }),
})

builder.subscriptionField('account', (t) =>
  t.stream({
    topic: accounts,
    type: AccountChange,
    args: { id: t.arg.id({ required: true }), sources: t.arg.stringList() },
    where: ({ id, sources }) => ({ id, ...(sources && { source: { in: sources } }) }),
    filter: (_account, _args, _context, { headers }) => headers.dryRun !== 'true',
    resolve: (account, _args, _context, { timestamp }) => ({ ...account, changedAt: new Date(timestamp) }),
  }),
)
