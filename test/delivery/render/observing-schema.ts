import {
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql'

/** What resolvers keep from one call to the next: a run of events has its own. */
export interface Memory {
  calls: number
  readonly signals: AbortSignal[]
  readonly numbers: Map<object, number>
}

export interface Observed {
  readonly memory: Memory
  readonly fails: boolean
  readonly size: number
}

export const newMemory = (): Memory => ({ calls: 0, signals: [], numbers: new Map() })

// biome-ignore lint/suspicious/noExplicitAny: resolvers look at whatever they are given
type Any = any

/** What a resolver can see of a value: its own properties, its prototype, and what is in it. */
function lookAt(value: Any): unknown {
  if (typeof value !== 'object' || value === null) return typeof value
  return {
    own: Reflect.ownKeys(value).map(String),
    described: Object.entries(Object.getOwnPropertyDescriptors(value)).map(([name, { value: held, ...flags }]) => [
      name,
      typeof held,
      Object.prototype.toString.call(held),
      flags,
    ]),
    prototype: Object.getPrototypeOf(value) === null ? 'none' : Object.getPrototypeOf(value) === Object.prototype,
    frozen: Object.isFrozen(value),
    extensible: Object.isExtensible(value),
    has: ['toString', 'path', 'x', 'region', 'fieldName', '__proto__'].map((name) => name in value),
  }
}

/** Gives a number to each object that is seen, so that two results tell of the same identities alike. */
function numberOf(source: Any, value: object): number {
  const { numbers } = memoryOf(source)
  const number = numbers.get(value) ?? numbers.size
  numbers.set(value, number)
  return number
}

function pathOf(info: GraphQLResolveInfo): unknown[] {
  const keys: unknown[] = []
  for (let path: GraphQLResolveInfo['path'] | undefined = info.path; path; path = path.prev)
    keys.push(path.key, path.typename, Object.keys(path))
  return keys
}

const memoryOf = (source: Any): Memory => (source.value ?? source).memory
const text = (value: unknown): string => JSON.stringify(value) ?? 'undefined'
const trying = (look: () => unknown): string => {
  try {
    return text(look())
  } catch (error) {
    return `caught ${error}`
  }
}

function changeDeeply(value: Any): void {
  if (typeof value !== 'object' || value === null) return
  for (const key of Object.keys(value)) changeDeeply(value[key])
  if (Array.isArray(value)) value.push(99)
  else if (value instanceof Date) value.setTime(1)
  else value.changed = true
}

const bound = function (this: Any, ...given: Any[]) {
  return text([this?.me, given.length])
}.bind({ me: 'bound' })

/** Resolvers by what they look at. */
export const LOOKS: Readonly<Record<string, (...given: Any[]) => unknown>> = {
  nothing: () => 'x',
  source: (source) => text([typeof source, memoryOf(source).calls >= 0]),
  spreadInfo: (_source, _args, _context, info) => text(lookAt({ ...info })),
  infoItself: (_source, _args, _context, info) => text(lookAt(info)),
  infoFields: (_s, _a, _c, info) =>
    text([
      info.fieldName,
      `${info.returnType}`,
      `${info.parentType}`,
      info.fieldNodes.length,
      info.operation.operation,
    ]),
  infoPath: (_s, _a, _c, info) => text(pathOf(info)),
  infoCaught: (_s, _a, _c, info) => trying(() => info.path.key),
  infoIn: (_s, _a, _c, info) =>
    text(['path' in info, 'nope' in info, Object.keys(info), Object.getOwnPropertyNames(info)]),
  infoJson: (_s, _a, _c, info) => trying(() => [info.path, info.fieldNodes, info.fragments]),
  infoChanged: (_s, _a, _c, info) => {
    const before = text([Object.keys(info), info.fieldNodes.length, info.fieldName])
    info.extra = 1
    info.fieldName = 'changed'
    info.fieldNodes.push(info.fieldNodes[0])
    return before
  },
  infoIdentity: (source, _a, context, info) => {
    const { path, schema, operation, rootValue, variableValues } = info
    const own = [path, path.prev, schema, operation, info.fragments, info.fieldNodes[0], info.parentType]
    return text([
      ...own.map((each) => numberOf(source, each)),
      rootValue.value === source || memoryOf(rootValue) === memoryOf(source),
      text(variableValues.coerced) !== '',
      context.me,
    ])
  },
  infoAbort: (source, _a, _c, info) => {
    const { signals } = memoryOf(source)
    const before = signals.map(({ aborted }) => aborted)
    const signal = info.getAbortSignal()
    const isNew = !signals.includes(signal)
    if (isNew) signals.push(signal)
    return text([before, signal.aborted, isNew, info.getAbortSignal() === signal, Object.keys(info.getAsyncHelpers())])
  },
  infoByDefault: (_source, _args, _context, info = 'none') => text(typeof info),
  infoByRest: (...given) => text([given.length, typeof given[3], Object.keys(given[3])]),
  infoByArguments(this: unknown) {
    // biome-ignore lint/complexity/noArguments: that is what is looked at
    return text([arguments.length, typeof arguments[3], Object.getPrototypeOf(arguments[1])])
  },
  infoByProxy: new Proxy((...given: Any[]) => text(given.length), {}),
  infoBound: bound,
  itself(this: unknown, _source: unknown) {
    return text([typeof this, this === undefined])
  },
  args: (_source, args) => text(lookAt(args)),
  argsJson: (_source, args) => text(args),
  argsChanged: (_source, args) => {
    const before = text([args, Object.keys(args)])
    changeDeeply(args)
    return before
  },
  argsDestructured: (_source, { input, list }) => text([input, list]),
  argsAndContext: (_source, args, context) =>
    text([Object.keys(args), context.me, Object.getPrototypeOf(args) === null]),
  calls: (source) => text(++memoryOf(source).calls),
  fails: (source) => {
    memoryOf(source).calls++
    if ((source.value ?? source).fails) throw new Error('failed')
    return 'fine'
  },
  returnsLater: (source) => ((source.value ?? source).fails ? Promise.resolve('later') : 'at once'),
}

const Input: GraphQLInputObjectType = new GraphQLInputObjectType({
  name: 'Input',
  fields: () => ({
    n: { type: GraphQLInt, defaultValue: 7 },
    inner: { type: Input },
    list: { type: new GraphQLList(GraphQLInt) },
  }),
})
const Moment = new GraphQLScalarType({ name: 'Moment', parseValue: (value) => new Date(Number(value)) })
const Anything = new GraphQLScalarType({ name: 'Anything', parseValue: (value) => value })
const args = {
  input: { type: Input },
  list: { type: new GraphQLList(GraphQLInt) },
  at: { type: Moment },
  any: { type: Anything },
  n: { type: GraphQLInt, defaultValue: 3 },
  s: { type: GraphQLString },
}

const looks = () =>
  Object.fromEntries(
    Object.entries(LOOKS).map(([name, resolve]) => [name, { type: GraphQLString, args, resolve: resolve as never }]),
  )

/** A source that reads itself, as objects with accessors and methods do. */
class Source {
  readonly value: Observed

  constructor(value: Observed) {
    this.value = value
  }

  get counted(): string {
    return text(++this.value.memory.calls)
  }

  get getterFails(): string {
    this.value.memory.calls++
    if (this.value.fails) throw new Error('failed')
    return 'fine'
  }

  method(given: Any, context: Any, info: Any): string {
    this.value.memory.calls++
    // biome-ignore lint/complexity/noArguments: that is what is looked at
    return text([text(given), context.me, pathOf(info), this.value.size, arguments.length])
  }
}

const Looking = new GraphQLInterfaceType({
  name: 'Looking',
  fields: { nothing: { type: GraphQLString } },
  resolveType: () => 'Node',
})
const Node: GraphQLObjectType = new GraphQLObjectType({
  name: 'Node',
  interfaces: [Looking],
  fields: () => ({
    ...looks(),
    counted: { type: GraphQLString },
    getterFails: { type: GraphQLString },
    method: { type: GraphQLString, args },
    required: { type: new GraphQLNonNull(GraphQLString), resolve: LOOKS.fails as never },
    child: { type: Node, resolve: ({ value }) => new Source(value) },
    looking: { type: Looking, resolve: ({ value }) => new Source(value) },
    children: {
      type: new GraphQLList(Node),
      resolve: ({ value }) => Array.from({ length: value.size }, () => new Source(value)),
    },
  }),
})

const node = { type: Node, args, resolve: ({ value }: { value: Observed }) => new Source(value) }
export const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { node } }),
  subscription: new GraphQLObjectType({ name: 'Subscription', fields: { node } }),
})
