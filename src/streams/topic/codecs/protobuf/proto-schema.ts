import protobuf from 'protobufjs'

/** The name that the schema's own file has among its imports. */
const MAIN = 'schema.proto'
/** Files whose options and types say nothing of how values are decoded, or that are built in. */
const CONFLUENT_DECIMAL = 'confluent/type/decimal.proto'
const BUILT_IN: Readonly<Record<string, string>> = {
  [CONFLUENT_DECIMAL]: `syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`,
  'confluent/meta.proto': 'syntax = "proto3"; package confluent;',
  'google/type/date.proto': `syntax = "proto3"; package google.type;
message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`,
}
/** Limit of message indexes of one path, and of nested messages. */
const MAX_LEVELS = 32

/** A file that a schema imports, by the name in its `import`. */
export interface ProtoFile {
  readonly name: string
  readonly text: string
}

/** A parsed `.proto` file, with what it imports. */
export interface ProtoSchema {
  /** By its name, with or without the package. @throws Error where there is none. */
  message(name: string): protobuf.Type
  /** By the places of the messages that it is nested in, as Confluent's wire format has it. Undefined: none is there. */
  messageAt(path: readonly number[]): protobuf.Type | undefined
}

/** @throws Error that says what is wrong with it, or which import is missing. */
export function parseProto(text: string, imports: readonly ProtoFile[] = []): ProtoSchema {
  const root = new protobuf.Root()
  const known = new Map(imports.map((file) => [file.name, file.text]))
  const done = new Set<string>()
  const read = (name: string, source: string): protobuf.IParserResult => {
    done.add(name)
    ;(protobuf.parse as { filename?: string | null }).filename = name
    const parsed = protobuf.parse(source, root, { keepCase: true })
    for (const each of [...(parsed.imports ?? []), ...(parsed.weakImports ?? [])]) {
      if (done.has(each)) continue
      const found = known.get(each) ?? (Object.hasOwn(BUILT_IN, each) ? BUILT_IN[each] : undefined)
      if (found !== undefined) read(each, found)
      else importCommon(root, each, done)
    }
    return parsed
  }
  const { package: name } = read(MAIN, text)
  root.resolveAll()
  const space = name ? root.lookup(name) : root
  const messages = [...((space as protobuf.NamespaceBase | null)?.nestedArray ?? [])].filter(
    (each): each is protobuf.Type => each instanceof protobuf.Type && each.filename === MAIN,
  )
  return {
    message(wanted) {
      const own = space instanceof protobuf.Namespace ? space.lookup(wanted, [protobuf.Type]) : null
      return (own as protobuf.Type | null) ?? root.lookupType(wanted)
    },
    messageAt(path) {
      let at: readonly protobuf.Type[] = messages
      let found: protobuf.Type | undefined
      for (const index of path.slice(0, MAX_LEVELS)) {
        found = at[index]
        if (!found) return undefined
        at = found.nestedArray.filter((each): each is protobuf.Type => each instanceof protobuf.Type)
      }
      return found
    },
  }
}

/** Google's own files, which protobufjs brings; others are not to be had. */
function importCommon(root: protobuf.Root, name: string, done: Set<string>): void {
  done.add(name)
  if (name === 'google/protobuf/descriptor.proto') return // only options of options
  const found = protobuf.common.get(name)
  if (!found?.nested) throw new Error(`The import "${name}" is missing`)
  root.addJSON(found.nested)
}
