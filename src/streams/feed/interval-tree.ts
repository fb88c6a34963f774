/** An interval, both ends included, and what was added under it. */
export interface Interval<E> {
  readonly low: number
  readonly high: number
  /** The entry that was added first, the only one of most intervals; undefined once it is removed. */
  first: E | undefined
  /** All other entries. */
  others: Set<E> | undefined
  /** Bits of `low`, then of `high`: see `setKey`. The tree branches by them. */
  readonly key: Key
}

/** Four words of 32 bits, highest first. */
interface Key {
  word0: number
  word1: number
  word2: number
  word3: number
}

interface Node<E> {
  interval: Interval<E>
  left: Node<E> | undefined
  right: Node<E> | undefined
}

/** Bits of one end. */
const END_BITS = 64

/**
 * Priority search tree, of the radix kind (McCreight, 1985): the intervals that contain a number are found in the time
 * that it takes to report them, plus one path.
 *
 * By depth it branches by the bits of the lower end, so that all lower ends on the left are below those on the right;
 * the bits of the upper end make each key its own. Each node holds the interval with the highest upper end of its
 * subtree, so that a search leaves a subtree as soon as one ends too low. A path is as long as intervals have leading
 * bits in common: the logarithm of their number where they are spread, and at most 128 whatever clients ask for. Nothing
 * is ever rebalanced.
 */
export class IntervalTree<E> {
  #root: Node<E> | undefined
  #size = 0
  readonly #wanted = blankKey()

  /** Number of distinct intervals. */
  get size(): number {
    return this.#size
  }

  /** Adds an entry. Neither end is NaN, and `low` is not above `high`. */
  add(low: number, high: number, entry: E): void {
    const known = this.#nodeOf(low, high)?.interval
    if (known) {
      known.others ??= new Set()
      known.others.add(entry)
      return
    }
    const key = blankKey()
    setKey(key, low, high)
    this.#insert({ low, high, first: entry, others: undefined, key })
    this.#size++
  }

  delete(low: number, high: number, entry: E): void {
    const node = this.#nodeOf(low, high)
    if (node === undefined) return
    const { interval } = node
    if (interval.first === entry) interval.first = undefined
    else interval.others?.delete(entry)
    if (interval.others?.size === 0) interval.others = undefined
    if (interval.first !== undefined || interval.others !== undefined) return
    this.#size--
    this.#pullUp(node)
  }

  /**
   * The intervals that contain a number. None contains NaN. Entries may be added and removed while the result is
   * visited.
   */
  find(at: number): Interval<E>[] {
    const found: Interval<E>[] = []
    const wanted = this.#wanted
    setKey(wanted, at, at)
    let node = this.#root
    for (let depth = 0; node !== undefined && node.interval.high >= at; depth++) {
      if (node.interval.low <= at) found.push(node.interval)
      const isRight = depth < END_BITS ? bitAt(wanted, depth) : undefined
      // On the left of the path all begin below it; beyond the bits of the lower end, all begin at this number.
      if (isRight !== false) collect(node.left, at, found)
      if (isRight === undefined) collect(node.right, at, found)
      node = isRight === undefined ? undefined : isRight ? node.right : node.left
    }
    return found
  }

  #nodeOf(low: number, high: number): Node<E> | undefined {
    const wanted = this.#wanted
    setKey(wanted, low, high)
    let node = this.#root
    for (let depth = 0; node !== undefined && node.interval.high >= high; depth++) {
      const { interval } = node
      if (interval.low === low && interval.high === high) return node
      node = bitAt(wanted, depth) ? node.right : node.left
    }
    return undefined
  }

  #insert(added: Interval<E>): void {
    let interval = added
    let node = this.#root
    if (node === undefined) this.#root = leaf(interval)
    for (let depth = 0; node !== undefined; depth++) {
      if (interval.high > node.interval.high) {
        const lower = node.interval
        node.interval = interval
        interval = lower
      }
      const isRight: boolean = bitAt(interval.key, depth)
      const child: Node<E> | undefined = isRight ? node.right : node.left
      if (child === undefined) {
        if (isRight) node.right = leaf(interval)
        else node.left = leaf(interval)
      }
      node = child
    }
  }

  /** Removes a node's interval: that of the child which reaches higher takes its place, and so on down. */
  #pullUp(from: Node<E>): void {
    let parent: Node<E> | undefined
    let node = from
    for (;;) {
      const { left, right } = node
      const child = left && (!right || left.interval.high >= right.interval.high) ? left : right
      if (child === undefined) break
      node.interval = child.interval
      parent = node
      node = child
    }
    if (parent === undefined) this.#unlink(node)
    else if (parent.left === node) parent.left = undefined
    else parent.right = undefined
  }

  /** Removes a node without children, whose parent is searched for. */
  #unlink(node: Node<E>): void {
    const { key } = node.interval
    let parent = this.#root
    if (parent === node) this.#root = undefined
    for (let depth = 0; parent !== undefined && parent !== node; depth++) {
      const isRight = bitAt(key, depth)
      const child: Node<E> | undefined = isRight ? parent.right : parent.left
      if (child === node) {
        if (isRight) parent.right = undefined
        else parent.left = undefined
      }
      parent = child
    }
  }
}

/** Adds the intervals of a subtree that end at `at` or higher. All of them begin at `at` or lower. */
function collect<E>(node: Node<E> | undefined, at: number, found: Interval<E>[]): void {
  if (node === undefined || node.interval.high < at) return
  found.push(node.interval)
  collect(node.left, at, found)
  collect(node.right, at, found)
}

function leaf<E>(interval: Interval<E>): Node<E> {
  return { interval, left: undefined, right: undefined }
}

function blankKey(): Key {
  return { word0: 0, word1: 0, word2: 0, word3: 0 }
}

function bitAt(key: Key, depth: number): boolean {
  const word = depth < 64 ? (depth < 32 ? key.word0 : key.word1) : depth < 96 ? key.word2 : key.word3
  return ((word << (depth & 31)) | 0) < 0
}

const view = new DataView(new ArrayBuffer(8))

/**
 * The bits of two numbers, such that as unsigned words they are in the numbers' order: those of a double are, but for
 * the sign. Both zeros are one number.
 */
function setKey(key: Key, low: number, high: number): void {
  view.setFloat64(0, low + 0)
  const negative = view.getInt32(0) >> 31
  key.word0 = view.getInt32(0) ^ (negative | SIGN)
  key.word1 = view.getInt32(4) ^ negative
  view.setFloat64(0, high + 0)
  key.word2 = view.getInt32(0)
  key.word3 = view.getInt32(4)
}

const SIGN = 0x8000_0000
