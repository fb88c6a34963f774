import { EVENT_STREAM, MULTIPART, type StreamType } from './accept.ts'
import { isEventSource, type RequestHead } from './event-source.ts'
import {
  BY_ID,
  COMPLETE_BLOCK,
  FOR_EVENT_SOURCE,
  FOR_EVENT_SOURCE_IN_EXTENSIONS,
  IN_EXTENSIONS,
  resultBlock,
} from './event-stream.ts'
import type { Framing } from './framing.ts'
import {
  BOUNDARY,
  IN_PARTS,
  IN_PARTS_WITH_CURSORS,
  IN_PLAIN_PARTS,
  IN_PLAIN_PARTS_WITH_CURSORS,
  onceInParts,
  onceInPlainParts,
} from './multipart.ts'
import { asksForSubscriptionSpec } from './multipart-accept.ts'

/** How a stream of one operation is sent: its media type, and the framings in it. */
export interface StreamMedia {
  /** As logs call it. */
  readonly transport: 'distinct' | 'multipart'
  readonly contentType: string
  readonly framing: Framing
  /** The framing with the position in each result's `extensions`. */
  readonly withCursors: Framing
  /** A whole stream of one result: queries, mutations and refused operations. */
  once(json: string): Buffer
}

const EVENTS: StreamMedia = {
  transport: 'distinct',
  contentType: `${EVENT_STREAM}; charset=utf-8`,
  framing: BY_ID,
  withCursors: IN_EXTENSIONS,
  once: (json) => Buffer.concat([resultBlock(json), COMPLETE_BLOCK]),
}

const EVENTS_FOR_EVENT_SOURCE: StreamMedia = {
  ...EVENTS,
  framing: FOR_EVENT_SOURCE,
  withCursors: FOR_EVENT_SOURCE_IN_EXTENSIONS,
}

const PARTS: StreamMedia = {
  transport: 'multipart',
  contentType: `${MULTIPART};boundary="${BOUNDARY}";subscriptionSpec=1.0`,
  framing: IN_PARTS,
  withCursors: IN_PARTS_WITH_CURSORS,
  once: onceInParts,
}

const PLAIN_PARTS: StreamMedia = {
  transport: 'multipart',
  contentType: `${MULTIPART};boundary="${BOUNDARY}"`,
  framing: IN_PLAIN_PARTS,
  withCursors: IN_PLAIN_PARTS_WITH_CURSORS,
  once: onceInPlainParts,
}

/** What a client that prefers this type is sent. */
export function streamMedia(request: RequestHead, type: StreamType): StreamMedia {
  if (type === EVENT_STREAM) return isEventSource(request) ? EVENTS_FOR_EVENT_SOURCE : EVENTS
  return asksForSubscriptionSpec(request.headers.accept?.toString()) ? PARTS : PLAIN_PARTS
}
