import { manyGroups, stalledReaders, unopenedReservations, unreadAnswers } from './answers.ts'
import type { Attack } from './attack.ts'
import { abortedRequests, adminPort, badTargets, idleConnections, slowRequests } from './connections.ts'
import {
  costlyQueries,
  deepVariables,
  fragmentBombs,
  heavyDocuments,
  invalidDocuments,
  longAccepts,
  oddNames,
} from './documents.ts'
import { failingFields, failingInterests, failingIterators, lookingResolvers } from './failing-fields.ts'
import { bursts, poison, scans, stampedRecords } from './records.ts'

export const ATTACKS: readonly Attack[] = [
  stampedRecords,
  poison,
  bursts,
  scans,
  idleConnections,
  slowRequests,
  badTargets,
  adminPort,
  abortedRequests,
  heavyDocuments,
  invalidDocuments,
  costlyQueries,
  fragmentBombs,
  oddNames,
  deepVariables,
  longAccepts,
  unreadAnswers,
  unopenedReservations,
  stalledReaders,
  manyGroups,
  failingFields,
  failingIterators,
  failingInterests,
  lookingResolvers,
]
