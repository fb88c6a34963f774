export { ResumeError, type ResumeErrorCode } from './resume-error.ts'
export {
  createResumingFetch,
  type ResumeOptions,
  type ResumingFetch,
  type ResumingSubscription,
} from './resuming-fetch.ts'
export {
  type Auth,
  type ConnectionState,
  createSluiceClient,
  type DocumentInput,
  type Gap,
  type Observer,
  type Operation,
  type PositionStorage,
  type Result,
  type ResultError,
  type SluiceClient,
  SluiceClientError,
  type SluiceClientOptions,
  type SluiceSubscription,
  type SubscribeOptions,
} from './sluice-client.ts'
