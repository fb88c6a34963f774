/** What documents are made of: the schema's names, and some that nobody expects. */
const ORDER = ['id', 'merchantId', 'region', 'country', 'city', 'itemCount', 'status', 'placedAt', 'location', 'total']
const TRAP = ['id', 'throwsError', 'throwsLater', 'throwsCyclic', 'throwsStrict', 'throwsCoded', 'throwsUnwritable']
const TRAPS = [
  ...TRAP,
  'throwsSometimes',
  'nullStrict',
  'notAnInt',
  'notText',
  'badThen',
  'slow',
  'reads',
  'reads(a: 1)',
]
export const TYPES: Readonly<Record<string, readonly string[]>> = {
  Order: ORDER,
  Location: ['lat', 'lon'],
  Money: ['amount', 'currency'],
  StreamInfo: ['topic', 'eventsPerSecond', 'window', 'partitions'],
  WindowSpan: ['bytes', 'events', 'newest', 'oldest'],
  Partition: ['partition', 'newestOffset', 'passedOffset'],
  Trap: TRAPS,
  __Schema: ['types', 'queryType', 'directives'],
  __Type: ['name', 'kind', 'fields', 'ofType', 'description'],
  __Field: ['name', 'type', 'args'],
  __InputValue: ['name', 'defaultValue', 'type'],
  __Directive: ['name', 'args', 'locations'],
}
export const OBJECTS: Readonly<Record<string, string>> = {
  location: 'Location',
  total: 'Money',
  window: 'WindowSpan',
  partitions: 'Partition',
  types: '__Type',
  queryType: '__Type',
  ofType: '__Type',
  type: '__Type',
  fields: '__Field',
  args: '__InputValue',
  directives: '__Directive',
}

export const ODD_NAMES = [
  'then',
  'toJSON',
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'prototype',
]
export const REGIONS = ['EUROPE', 'ASIA', 'AFRICA', 'OCEANIA', 'SOUTH_AMERICA', 'NORTH_AMERICA']

export const VARIABLE_TYPES: Readonly<Record<string, string>> = {
  last: 'Int',
  count: 'Int',
  region: 'Region!',
  merchantId: 'ID!',
  after: 'Cursor',
  since: 'DateTime',
  filter: 'TrapFilter',
  where: 'TrapWhere',
  kind: 'TrapIterator!',
  orderFilter: 'OrderFilter',
}
