import type { z } from 'zod'
import type { StreamEvent } from '../event.ts'
import { type Computed, computedAt } from './computed.ts'
import { isList, propertyReader } from './indexed.ts'
import { kindIn } from './order-kind.ts'
import {
  approximately,
  type Order,
  type Ordered,
  type OrderedReaders,
  type OrderKind,
  type OrdersByName,
} from './ordered.ts'
import { demandProperty } from './schema-property.ts'

/** How a topic's ordered values are read from its events. */
export interface Ordering {
  readonly ordered: OrderedReaders
  /** The functions, in the order of their results. */
  readonly functions: readonly Computed[]
}

const KINDS: readonly OrderKind[] = ['number', 'decimal', 'instant']

/**
 * `place`: that of the first function's result.
 * @throws TypeError for a property that the schema does not have, or whose kind it does not say, and for what is no
 * kind and no function.
 */
export function ordering<V>(topic: string, schema: z.core.$ZodType, order: Order<V>, place: number): Ordering {
  if (isList(order)) {
    return {
      ordered: new Map(order.map((name) => [name, ofProperty(name, kindOf(topic, schema, name))])),
      functions: [],
    }
  }
  const ordered = new Map<string, Ordered>()
  const functions: Computed[] = []
  for (const [name, { kind, read }] of Object.entries(order as OrdersByName<unknown>)) {
    if (!KINDS.includes(kind))
      throw new TypeError(`${subject(topic, name)} has a kind that is none of ${KINDS.join(', ')}`)
    if (read === undefined) {
      demandProperty(topic, 'ordered', schema, name)
      ordered.set(name, ofProperty(name, kind))
    } else {
      if (typeof read !== 'function') throw new TypeError(`${subject(topic, name)} is no function`)
      ordered.set(name, reader(kind, computedAt(place + functions.length), undefined))
      functions.push({ what: 'function of the order', name, read, isAllowed: isOrderedValue })
    }
  }
  return { ordered, functions }
}

function kindOf(topic: string, schema: z.core.$ZodType, property: string): OrderKind {
  demandProperty(topic, 'ordered', schema, property)
  const kind = kindIn(schema, property)
  if (kind !== undefined) return kind
  throw new TypeError(
    `The topic "${topic}" cannot be ordered by "${property}": its schema does not say that this is a number, a time ` +
      'or text of decimals; { kind } does',
  )
}

function subject(topic: string, name: string): string {
  return `The order "${name}" of the topic "${topic}"`
}

function ofProperty(property: string, kind: OrderKind): Ordered {
  return reader(kind, propertyReader(property), property)
}

function reader(kind: OrderKind, value: (event: StreamEvent) => unknown, property: string | undefined): Ordered {
  const read = (event: StreamEvent): number => {
    try {
      return approximately(kind, value(event))
    } catch {
      // The value of a custom schema may throw when a property is read. The other conditions still find its event.
      return Number.NaN
    }
  }
  return { kind, read, value, property }
}

function isOrderedValue(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'undefined':
      return true
    default:
      return value === null || value instanceof Date
  }
}
