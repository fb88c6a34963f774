import type { MatrixClient } from '../client.ts'

export const client: MatrixClient = {
  title: 'Python, gql with aiohttp (multipart)',
  packages: ['gql', 'aiohttp'],
  runs: { python: 'test/matrix/python/gql_aiohttp.py' },
}
