/** `npm start`: the orders gateway, as `sluice start` would run it. */
import { runGateway } from './cli/run-gateway.ts'
import { ordersGateway } from './orders-gateway.ts'

await runGateway(ordersGateway, process.argv.slice(2))
