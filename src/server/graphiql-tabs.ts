/** What GraphiQL opens with: a tab each. A browser that has been here before shows the tabs that it left. */
export const GRAPHIQL_TABS: readonly { readonly query: string; readonly variables?: string }[] = [
  {
    query: `# Orders as they happen. Press the button.
subscription Orders {
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
    query: `# Some of the orders: the conditions have the names of the fields. Press Ctrl-Space in \`where\`.
# The newest that match come first, and then what comes.
subscription FilteredOrders($least: Decimal!) {
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
subscription Sales {
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
]
