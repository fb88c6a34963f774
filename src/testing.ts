/** A gateway on a memory log, for other people's tests. */
export type { TestDocument } from './testing/document.ts'
export type { TestSubscription } from './testing/subscription.ts'
export {
  type TestGateway,
  type TestGatewayOptions,
  type TestRecord,
  type TestRequestOptions,
  testGateway,
} from './testing/test-gateway.ts'
