import type { Field, Shape } from '../shape.ts'

/** What is certain of a value that has to be there. */
export function required(shape: Shape): Field {
  return { shape, isOptional: false, isNullable: false }
}

/** What cannot be said of a value, with the reason. */
export function uncertain(doubt: string): Field {
  return { shape: { kind: 'unknown' }, isOptional: false, isNullable: true, doubt }
}

export const RECURSIVE = 'It may contain itself, which no type can be written for: it is JSON'
