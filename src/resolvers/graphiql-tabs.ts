/**
 * What GraphiQL opens with: a tab for each kind of question, whose one operation runs at the press of the button. A browser
 * that has been here before shows the tabs that it left.
 */
export const GRAPHIQL_TABS: readonly { readonly query: string; readonly variables?: string }[] = [
  {
    query: `# Live: orders of a region as they happen. Press the button; press it again to stop.
subscription Live {
  ordersByRegion(region: EUROPE) {
    id
    city
    country
    total {
      amount
      currency
    }
    status
    placedAt
  }
}
`,
  },
  {
    query: `# Filtered: the conditions have the names of the fields. Press Ctrl-Space in \`where\`.
# The newest that match come first, and then what comes.
subscription Filtered($least: Decimal!) {
  orders(
    last: 5
    where: {
      total: { amount: { gte: $least } }
      or: [{ region: { in: [EUROPE, ASIA] } }, { city: { startsWith: "San " } }]
      status: { ne: CANCELLED }
    }
  ) {
    id
    region
    city
    total {
      amount
      currency
    }
    status
  }
}
`,
    variables: JSON.stringify({ least: '100' }, null, 2),
  },
  {
    query: `# A table: all rows first (ROW), then READY, then what changes (UPSERT, REMOVE).
subscription Table {
  regionSales(regions: [EUROPE, ASIA]) {
    op
    key
    row {
      region
      minute
      orders
      sales {
        amount
        currency
      }
    }
  }
}
`,
  },
  {
    query: `# Resumed: it begins with the past. \`last\` takes a number, \`since\` a time, and \`after\` a position:
# that of a stream is in its \`extensions.stream.position\`. What is gone for good is told beside it, in \`gaps\`.
subscription Resumed($last: Int) {
  orders(last: $last) {
    id
    region
    city
    status
    placedAt
  }
}
`,
    variables: JSON.stringify({ last: 10 }, null, 2),
  },
  {
    query: `# A query: the newest orders, and the topics behind this API.
query Recent {
  recentOrders(last: 5) {
    id
    region
    city
  }
  streams {
    topic
    eventsPerSecond
    window {
      events
    }
  }
}
`,
  },
  {
    query: `# A mutation: your own order, which goes through the log. Press the button twice: a repeat with one idempotency key
# is the same order. It needs the scope orders:write; credentials go into the headers below.
mutation PlaceOrder($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    id
    merchantId
    city
    total {
      amount
      currency
    }
    status
    placedAt
  }
}
`,
    variables: JSON.stringify(
      {
        input: {
          idempotencyKey: 'my-first-order',
          merchantId: 'm_0001',
          region: 'EUROPE',
          country: 'NL',
          city: 'Amsterdam',
          location: { lat: 52.37, lon: 4.9 },
          total: { amount: '129.90', currency: 'EUR' },
          itemCount: 3,
        },
      },
      null,
      2,
    ),
  },
]
