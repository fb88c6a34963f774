import { connectCodec, defineTopic } from 'sluice'
import { z } from 'zod'

const Invoice = z.object({ id: z.int(), amount: z.string(), due: z.iso.date() })
export const invoices = defineTopic('invoices', { schema: Invoice, codec: connectCodec() })
