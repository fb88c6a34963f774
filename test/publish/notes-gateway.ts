import { z } from 'zod'
import { createBuilder } from '../../src/schema/builder.ts'
import { defineTopic } from '../../src/streams/topic/topic.ts'

const Note = z.object({ id: z.string(), room: z.string(), text: z.string().min(1) })

/** An application of one topic, to which its clients publish notes. */
export function notesApplication(name: string) {
  const notes = defineTopic(name, { schema: Note, key: 'room', index: ['room'] })
  const builder = createBuilder()
  const NoteType = builder.objectRef<z.output<typeof Note>>('Note').implement({
    fields: (t) => ({ id: t.exposeID('id'), room: t.exposeString('room'), text: t.exposeString('text') }),
  })
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  builder.queryField('isUp', (t) => t.boolean({ resolve: () => true }))
  builder.subscriptionField('notes', (t) => t.stream({ topic: notes, type: NoteType }))
  builder.mutationField('write', (t) =>
    t.publish({
      topic: notes,
      type: NoteType,
      args: { room: t.arg.string({ required: true }), text: t.arg.string({ required: true }), key: t.arg.id() },
      idempotencyKey: ({ key }) => key,
      event: ({ room, text }, { id }) => ({ id, room, text }),
    }),
  )
  return { schema: builder.toSchema(), topics: [notes] }
}

export interface Written {
  readonly id: string | undefined
  readonly code: string | undefined
  readonly message: string | undefined
}

export async function write(
  graphql: string,
  { room = 'r', text = 'hello', key }: { room?: string; text?: string; key?: string } = {},
): Promise<Written> {
  const response = await fetch(graphql, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'mutation($room: String!, $text: String!, $key: ID) { write(room: $room, text: $text, key: $key) { id } }',
      variables: { room, text, key },
    }),
  })
  const { data, errors } = (await response.json()) as {
    data?: { write?: { id: string } } | null
    errors?: readonly { message: string; extensions: { code: string } }[]
  }
  return { id: data?.write?.id, code: errors?.[0]?.extensions.code, message: errors?.[0]?.message }
}
