import type { BucketSize } from './token-bucket.ts'

/** What one client may use of this instance. */
export interface Quota {
  /** Open streams. */
  readonly streams: number
  readonly newStreams: BucketSize
  readonly requests: BucketSize
  /** Streams that are reserved and not open yet. */
  readonly reservations: number
  /** Operations on streams that carry several. */
  readonly operations: number
  /** Groups that it has created, and that go on. */
  readonly groups: number
  /** Milliseconds of CPU time for preparing operations, */
  readonly preparing: BucketSize
  /** and for replays, which wait where it is used up. */
  readonly replays: BucketSize
}

/** What of the configuration quotas are made of. */
export interface QuotaConfig {
  readonly MAX_STREAMS_PER_PRINCIPAL: number
  readonly MAX_STREAMS_PER_ADDRESS?: number | undefined
  readonly NEW_STREAMS_PER_PRINCIPAL: number
  readonly NEW_STREAMS_PER_ADDRESS?: number | undefined
  readonly MAX_GROUPS_PER_PRINCIPAL: number
}

/** Time for which a client that was quiet may exceed its rates: a page that opens, or an office in the morning. */
const BURST_S = 10

/** A request takes some 0.2 ms: these are a tenth of a core, */
const REQUESTS_PER_PRINCIPAL = 500
/** and an address may be that of an office, or of a carrier. */
const REQUESTS_PER_ADDRESS = 1_000
/**
 * Requests in a burst for each stream: after a deploy all of its streams come back at once, by a reservation, the
 * opening and some operations each.
 */
const REQUESTS_PER_STREAM = 8

/**
 * Of preparing: operations that are known are free, and one that is new takes about 1 ms. The largest takes 10 ms or more,
 * in one turn of the event loop, for which everybody waits: hence so little.
 */
const PREPARING: BucketSize = { perSecond: 10, burst: 1_000 }
/** A tenth of a core: 50,000 events a second. The burst is that of 1,000 streams that resume in the window. */
const REPLAYS: BucketSize = { perSecond: 100, burst: 2_000 }

/** A fifth of all reservations: as many as the streams of one principal. */
const RESERVATIONS_PER_PRINCIPAL = 1_000
/** Half of them. */
const RESERVATIONS_PER_ADDRESS = 2_500
/** A tenth of all operations on streams: 50 streams that are full. */
const OPERATIONS_PER_PRINCIPAL = 10_000
const OPERATIONS_PER_ADDRESS = 20_000

/** New streams a second of one address, where the configuration does not say. */
const NEW_STREAMS_PER_ADDRESS = 500
/** Part of all streams that one address may have, where the configuration does not say. */
const PART_OF_STREAMS = 1 / 2

/** More than a process can use up: finite, since rates are divided. */
const UNLIMITED: BucketSize = { perSecond: 1e9, burst: 1e9 }

export interface Quotas {
  readonly principal: Quota
  readonly address: Quota
  /**
   * Of the machine's own addresses: they may be a proxy that is not declared, for everybody. Undefined: no limit, as
   * long as none was configured for addresses.
   */
  readonly local: Quota | undefined
}

/** @param maxStreams the limit of all streams of this instance. */
export function quotasOf(config: QuotaConfig, maxStreams: number): Quotas {
  const { MAX_STREAMS_PER_ADDRESS, NEW_STREAMS_PER_ADDRESS: newPerAddress } = config
  const groups = config.MAX_GROUPS_PER_PRINCIPAL
  const streams = MAX_STREAMS_PER_ADDRESS ?? Math.ceil(maxStreams * PART_OF_STREAMS)
  const address: Quota = {
    streams,
    newStreams: streamRate(newPerAddress ?? NEW_STREAMS_PER_ADDRESS, streams),
    requests: requestRate(REQUESTS_PER_ADDRESS, streams),
    reservations: RESERVATIONS_PER_ADDRESS,
    operations: OPERATIONS_PER_ADDRESS,
    groups,
    preparing: PREPARING,
    replays: REPLAYS,
  }
  const isConfigured = MAX_STREAMS_PER_ADDRESS !== undefined || newPerAddress !== undefined
  return {
    principal: {
      streams: config.MAX_STREAMS_PER_PRINCIPAL,
      newStreams: streamRate(config.NEW_STREAMS_PER_PRINCIPAL, config.MAX_STREAMS_PER_PRINCIPAL),
      requests: requestRate(REQUESTS_PER_PRINCIPAL, config.MAX_STREAMS_PER_PRINCIPAL),
      reservations: RESERVATIONS_PER_PRINCIPAL,
      operations: OPERATIONS_PER_PRINCIPAL,
      groups,
      preparing: PREPARING,
      replays: REPLAYS,
    },
    address,
    local: isConfigured
      ? {
          ...address,
          streams: MAX_STREAMS_PER_ADDRESS ?? Number.POSITIVE_INFINITY,
          newStreams: newPerAddress === undefined ? UNLIMITED : address.newStreams,
        }
      : undefined,
  }
}

/** The burst is no less than the streams that it may have: after a deploy all of them come back at once. */
function streamRate(perSecond: number, streams: number): BucketSize {
  return { perSecond, burst: Math.max(perSecond * BURST_S, finite(streams)) }
}

function requestRate(perSecond: number, streams: number): BucketSize {
  return { perSecond, burst: Math.max(perSecond * BURST_S, finite(streams) * REQUESTS_PER_STREAM) }
}

function finite(streams: number): number {
  return Math.min(streams, 1_000_000)
}
