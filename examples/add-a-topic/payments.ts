import { z } from 'zod'
import { defineTopic } from '../../src/streams/topic/topic.ts'

const PaymentEvent = z.object({ id: z.string(), merchantId: z.string(), method: z.string(), amount: z.string() })
export type PaymentEvent = z.output<typeof PaymentEvent>
export const payments = defineTopic('payments', { schema: PaymentEvent, index: ['merchantId'] })
