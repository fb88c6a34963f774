import type { RawRecord } from '../../streams/event.ts'
import { type DecodeFailure, decode } from '../../streams/topic/decode.ts'
import type { Topic } from '../../streams/topic/topic.ts'
import { type Finding, found, topicNamed } from './finding.ts'

/** Different reasons that are told of one topic. */
const MAX_REASONS = 5

interface Reason {
  count: number
  /** The newest record of it. */
  at: RawRecord
}

/** What share of a topic's records decodes, and why the rest does not: never the values themselves. */
export function checkSample(topic: Topic, records: readonly RawRecord[], maxBytes: number): Finding[] {
  const subject = topicNamed(topic.name)
  if (records.length === 0) return [found('note', subject, 'It has no records: nothing can be said of them')]
  const reasons = new Map<string, Reason>()
  let [events, tombstones] = [0, 0]
  for (const record of records) {
    const decoded = decode(topic, record, { maxBytes })
    if ('kind' in decoded) events++
    else if ('skipped' in decoded) tombstones++
    else count(reasons, decoded, record)
  }
  const bad = records.length - events - tombstones
  const skipped = tombstones === 0 ? '' : `, ${tombstones} without a value are skipped`
  const share = `${events} of the ${records.length} newest records are events (${percent(events, records.length)})${skipped}`
  if (bad === 0) return [found('ok', subject, share)]
  const told = [...reasons].sort(([, a], [, b]) => b.count - a.count).slice(0, MAX_REASONS)
  return [
    found('problem', subject, share),
    ...told.map(([reason, { count: times, at }]) =>
      found('problem', subject, `${times} × ${reason} (such as partition ${at.partition}, offset ${at.offset})`),
    ),
  ]
}

function count(reasons: Map<string, Reason>, { reason, detail }: DecodeFailure, record: RawRecord): void {
  const key = `${reason}: ${detail}`
  const known = reasons.get(key)
  if (known) Object.assign(known, { count: known.count + 1, at: record })
  else reasons.set(key, { count: 1, at: record })
}

const percent = (part: number, whole: number) => `${Math.floor((1_000 * part) / whole) / 10} %`
