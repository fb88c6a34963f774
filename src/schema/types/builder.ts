import { createBuilder } from 'sluice'

/** The builder of the orders API: files beside this one and in `../../resolvers/` add to it. */
export const builder = createBuilder()
builder.queryType({})
builder.mutationType({})
builder.subscriptionType({})
