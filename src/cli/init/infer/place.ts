import type { Field, Shape } from '../../../streams/topic/shape.ts'

/** Where values were found. */
export interface Place {
  /** Of the property; of the topic, for whole values. */
  readonly name: string
  /** Objects and lists around it. */
  readonly level: number
}

/** A shape, and what is not certain about it. */
export interface Guess {
  readonly shape: Shape
  readonly doubt?: string | undefined
}

export const UNKNOWN: Shape = { kind: 'unknown' }

export function fieldOf({ shape, doubt }: Guess, { isOptional = false, isNullable = false } = {}): Field {
  return { shape, isOptional, isNullable, ...(doubt !== undefined && { doubt }) }
}

export function inside(name: string, { level }: Place): Place {
  return { name, level: level + 1 }
}
