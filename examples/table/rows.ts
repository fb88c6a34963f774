export interface Item<Row> {
  readonly op: 'RESET' | 'ROW' | 'READY' | 'UPSERT' | 'REMOVE'
  readonly key: string | null
  readonly row: Row | null
}

/** The rows of a table, as its stream tells them. */
export class Rows<Row> {
  readonly byKey = new Map<string | null, Row>()
  /** They may be shown: all of them are there. */
  isReady = false

  take({ op, key, row }: Item<Row>): void {
    if (op === 'READY') this.isReady = true
    else if (op === 'REMOVE') this.byKey.delete(key)
    else if (row) this.byKey.set(key, row)
    if (op !== 'RESET') return
    this.byKey.clear()
    this.isReady = false
  }
}
