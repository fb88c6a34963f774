import { onTestFinished, test } from 'vitest'
import { describeKafka } from '../kit/kafka.ts'
import { describeNginx } from '../kit/nginx.ts'
import { startInstances } from './single-instances.ts'
import { reachEachInstance } from './single-reservations.ts'

const RESERVATIONS = 500

describeNginx('single connection mode behind two workers of Nginx', (nginx) => {
  describeKafka(
    'on three real gateways and a real broker',
    () => {
      test(`each request of ${RESERVATIONS} reservations reaches its instance`, async () => {
        const instances = await startInstances(['gateway-1', 'tcp-2', 'no-3'])
        onTestFinished(() => instances.stop())
        // All clients have one address here.
        const options = { instances: instances.addresses, streamsPerAddress: 4 * RESERVATIONS }
        await reachEachInstance(await nginx.start(options), instances, RESERVATIONS)
      })
    },
    { ownBroker: true },
  )
})
