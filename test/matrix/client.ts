/** An operation that a cell asks for. */
export interface Request {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

/** What a client's library tells its caller of one subscription, in the library's own shapes. */
export interface Sink {
  next(result: unknown): void
  /** The library gives up. */
  error(error: unknown): void
  /** The library regards the subscription as over. */
  complete(): void
}

export interface OpenClient {
  /** @returns what ends the subscription, as the library's own users would */
  subscribe(request: Request, sink: Sink): () => void
  /** Frees what outlives subscriptions, such as a shared stream. */
  dispose?(): void
}

/** A row of the table. `npm run matrix` runs every file of `clients/`, each of which exports one of these as `client`. */
export interface MatrixClient {
  /** As the table names it, in Markdown. */
  readonly title: string
  /** Whose versions the table names: packages of npm, or of PyPI for `python`. */
  readonly packages: readonly string[]
  /** Where the library runs: a child process with Node, a page of Chromium, or a child process with Python. */
  readonly runs: 'node' | 'browser' | { readonly python: string }
  /** Absent for a Python program, which speaks the lines of `drivers/driver.ts` itself. */
  open?(url: string): OpenClient
}
