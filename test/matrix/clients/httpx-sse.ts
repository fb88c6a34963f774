import type { MatrixClient } from '../client.ts'

export const client: MatrixClient = {
  title: 'Python, httpx-sse',
  packages: ['httpx', 'httpx-sse'],
  runs: { python: 'test/matrix/python/httpx_sse_plain.py' },
}
