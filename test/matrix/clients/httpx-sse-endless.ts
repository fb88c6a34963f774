import type { MatrixClient } from '../client.ts'

export const client: MatrixClient = {
  title: 'Python, httpx-sse, [as programmed here](clients/python.md)',
  packages: ['httpx', 'httpx-sse'],
  runs: { python: 'test/matrix/python/httpx_sse_resuming.py' },
}
