/**
 * What Yoga's documentation shows: a schema, `createPubSub`, a topic of it with an id, and `createServer(yoga)`; events
 * come from kafkajs's consumer, as kafkajs's documentation shows. A baseline: it is not to be tuned with Sluice.
 *
 * PORT is where it listens; with KAFKA_BROKERS and TOPIC it reads orders. It says `listening`, and `ready` once it reads.
 */
import { createServer } from 'node:http'
import { createPubSub, createSchema, createYoga } from 'graphql-yoga'
import { Kafka, logLevel } from 'kafkajs'

interface OrderEvent {
  readonly region: string
  readonly lat: number
  readonly lon: number
  readonly amount: string
  readonly currency: string
}

const pubSub = createPubSub<{ 'orders:region': [region: string, order: OrderEvent] }>()

const schema = createSchema({
  typeDefs: /* GraphQL */ `
    type Query {
      hello: String
    }
    type Subscription {
      ordersByRegion(region: Region!): Order!
    }
    type Order {
      id: ID!
      merchantId: ID!
      region: Region!
      country: String!
      city: String!
      location: Location!
      total: Money!
      itemCount: Int!
      status: OrderStatus!
      placedAt: String!
    }
    type Location {
      lat: Float!
      lon: Float!
    }
    type Money {
      amount: String!
      currency: String!
    }
    enum Region {
      AFRICA
      ASIA
      EUROPE
      NORTH_AMERICA
      OCEANIA
      SOUTH_AMERICA
    }
    enum OrderStatus {
      PLACED
      PAID
      SHIPPED
      CANCELLED
    }
  `,
  resolvers: {
    Query: { hello: () => 'world' },
    Subscription: {
      ordersByRegion: {
        subscribe: (_: unknown, { region }: { region: string }) => pubSub.subscribe('orders:region', region),
        resolve: (order: OrderEvent) => order,
      },
    },
    Order: {
      location: ({ lat, lon }: OrderEvent) => ({ lat, lon }),
      total: ({ amount, currency }: OrderEvent) => ({ amount, currency }),
    },
  },
})

const yoga = createYoga({ schema })
createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'))

const { KAFKA_BROKERS: brokers, TOPIC: topic = 'orders' } = process.env
if (brokers) {
  const kafka = new Kafka({ clientId: 'yoga', brokers: brokers.split(','), logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId: `yoga-${process.pid}` })
  consumer.on(consumer.events.GROUP_JOIN, () => console.log('ready'))
  await consumer.connect()
  await consumer.subscribe({ topic })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const order: OrderEvent = JSON.parse(String(message.value))
      pubSub.publish('orders:region', order.region, order)
    },
  })
}
