import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { READ_COMMITTED } from './isolation.ts'
import type { AbortedTransaction } from './record-set.ts'
import { type Ask, versionOf } from './request.ts'

const API_KEY = 1
const API_NAME = 'Fetch'
/** With leader epochs and racks (Kafka 2.3), and before topic ids, which not every cluster has. */
const VERSION = 11
/** No fetch session: each request names all of its partitions. */
const NO_SESSION = 0
const NO_SESSION_EPOCH = -1
const CONSUMER = -1
const UNKNOWN_OFFSET = -1

export interface FetchOptions {
  /** Longest wait for `minBytes`, in ms. */
  readonly maxWaitMs: number
  readonly minBytes: number
  /** Of the whole response, as transferred; the first record batch is returned whole all the same. */
  readonly maxBytes: number
  /** Rack of this client: the broker may then name a nearer replica. */
  readonly rack: string
}

export interface WantedRecords {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** As the metadata has it: an older or newer leader refuses the fetch; -1: not checked. */
  readonly leaderEpoch: number
  readonly maxBytes: number
}

export interface FetchResponse {
  /** The client exceeds its quota: it is to send nothing for this long, in ms. */
  readonly throttleMs: number
  readonly error: number
  readonly partitions: readonly FetchedPartition[]
}

export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  readonly error: number
  /** End of what is visible under `read_committed`. */
  readonly lastStableOffset: number
  readonly aborted: readonly AbortedTransaction[]
  /** Node that the records are to be fetched from; -1: this one. */
  readonly preferredReadReplica: number
  /** Record batches as they are in the log; the last may be incomplete. A view of the response. */
  readonly set: Buffer
}

/** Records of several partitions of one broker. The broker fills the response in their order. */
export function fetchRecords(wanted: readonly WantedRecords[], options: FetchOptions): Ask<FetchResponse> {
  return (versions) => {
    const apiVersion = versionOf(versions, API_KEY, API_NAME, [VERSION])
    return { apiKey: API_KEY, apiVersion, apiName: API_NAME, body: encode(wanted, options), decode }
  }
}

function encode(wanted: readonly WantedRecords[], { maxWaitMs, minBytes, maxBytes, rack }: FetchOptions): ByteWriter {
  const body = new ByteWriter()
  body.int32(CONSUMER).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(READ_COMMITTED)
  body.int32(NO_SESSION).int32(NO_SESSION_EPOCH)
  body.array(runsOf(wanted), (run) => {
    body.string((run[0] as WantedRecords).topic)
    body.array(run, (each) => {
      body.int32(each.partition).int32(each.leaderEpoch).int64(each.offset).int64(UNKNOWN_OFFSET).int32(each.maxBytes)
    })
  })
  body.int32(0) // partitions to be removed from a session
  return body.string(rack)
}

/** Neighbours of one topic: the order of the partitions is kept. */
function runsOf(wanted: readonly WantedRecords[]): WantedRecords[][] {
  const runs: WantedRecords[][] = []
  for (const each of wanted) {
    const last = runs.at(-1)
    if (last?.[0]?.topic === each.topic) last.push(each)
    else runs.push([each])
  }
  return runs
}

function decode(response: Buffer): FetchResponse {
  const reader = new ByteReader(response)
  const throttleMs = reader.int32()
  const error = reader.int16()
  reader.int32() // session
  const partitions: FetchedPartition[] = []
  reader.array(() => {
    const topic = reader.string()
    reader.array(() => {
      const [partition, error] = [reader.int32(), reader.int16()]
      reader.int64() // high watermark
      const lastStableOffset = reader.int64()
      reader.int64() // log start offset
      const aborted = reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }))
      const preferredReadReplica = reader.int32()
      const set = reader.bytes()
      partitions.push({ topic, partition, error, lastStableOffset, aborted, preferredReadReplica, set })
    })
  })
  return { throttleMs, error, partitions }
}
