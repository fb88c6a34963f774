import { LRUCache } from 'lru-cache'
import type { Faults } from '../../errors/faults.ts'
import type { Operation } from '../operation/operation.ts'
import { compileText, type TextOperation } from './compile-text.ts'
import type { Renderer } from './renderer.ts'

/** Compiling takes some 3 ms, and saves some 15 µs for each event: the threshold is the break-even. */
const COMPILE_AFTER = 200
/** Cache of compiled operations whose groups have ended, for clients that reconnect. */
const KNOWN_BYTES = 32 * 1024 * 1024
/** A compiled operation takes at most as much as its document, which it references: 100 to 200 bytes for each node. */
const COMPILED_PER_DOCUMENT = 2
/** Duty cycle: compiling takes at most a fifth of the time, also if two hundred operations become busy at once. */
const REST_PER_COST = 4

/** Compiles the operations of busy renderers, one at a time, and caches them. */
export class Compiler {
  readonly #stats: { compiled: number }
  readonly #faults: Faults
  readonly #known = new LRUCache<string, TextOperation>({ maxSize: KNOWN_BYTES })
  readonly #counts = new WeakMap<Renderer, number>()
  /** Queue, first in, first out. Bounded by the number of renderers; one that ends is removed. */
  readonly #waiting = new Set<Renderer>()
  #timer: NodeJS.Timeout | undefined

  constructor(stats: { compiled: number }, faults: Faults) {
    this.#stats = stats
    this.#faults = faults
  }

  /**
   * Compiles an operation before its first event. False: it is compiled once it is busy, since it cannot be shared, or
   * half of the cache is full: the rest is for what clients really run.
   */
  ahead({ args, bodyKey: key, weight }: Operation): boolean {
    if (key === undefined || this.#known.calculatedSize > KNOWN_BYTES / 2) return false
    const compiled = this.#known.has(key) ? undefined : this.#compileText(args)
    this.#keep(key, compiled, weight)
    return this.#known.has(key)
  }

  known(key: string | undefined): TextOperation | undefined {
    return key === undefined ? undefined : this.#known.get(key)
  }

  /** A renderer has executed an event without compiled code. */
  executed(renderer: Renderer): void {
    const count = (this.#counts.get(renderer) ?? 0) + 1
    this.#counts.set(renderer, count)
    if (count !== COMPILE_AFTER) return
    this.#waiting.add(renderer)
    this.#timer ??= setTimeout(() => this.#compileNext(), 0)
  }

  forget(renderer: Renderer): void {
    this.#waiting.delete(renderer)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#waiting.clear()
  }

  #compileNext(): void {
    this.#timer = undefined
    const [renderer] = this.#waiting
    if (!renderer) return
    this.#waiting.delete(renderer)
    const start = performance.now()
    renderer.compiled = this.#compile(renderer)
    const cost = performance.now() - start
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#compileNext(), cost * REST_PER_COST)
  }

  #compile(renderer: Renderer): TextOperation | undefined {
    const { args, key, weight } = renderer
    // Compiled code awaits nothing. Whether its resolvers are asynchronous is checked again for each period.
    if (renderer.wasAwaited) {
      renderer.wasAwaited = false
      this.#counts.delete(renderer)
      return undefined
    }
    const compiled = this.#compileText(args)
    this.#keep(key, compiled, weight)
    return compiled
  }

  #keep(key: string | undefined, compiled: TextOperation | undefined, weight: Operation['weight']): void {
    if (!compiled?.isShareable || key === undefined) return
    this.#known.set(key, compiled, { size: weight.own + COMPILED_PER_DOCUMENT * weight.document })
  }

  #compileText(args: Operation['args']): TextOperation | undefined {
    try {
      const compiled = compileText(args)
      if (compiled) this.#stats.compiled++
      return compiled
    } catch (error) {
      // Uncompiled operations are only slower: graphql-js executes them.
      this.#faults.tell('compiler', error)
      return undefined
    }
  }
}
