export { ResumeError, type ResumeErrorCode } from './resume-error.ts'
export {
  createResumingFetch,
  type ResumeOptions,
  type ResumingFetch,
  type ResumingSubscription,
} from './resuming-fetch.ts'
