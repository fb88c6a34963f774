import { expect, test } from 'vitest'
import { advice, parts } from '../../scripts/test-all.ts'

test('with a cluster of your own neither Java nor Maven is needed', () => {
  const names = (env: NodeJS.ProcessEnv) => parts(env).map((part) => part.package)
  expect(names({})).toEqual([
    'nginx-light',
    'prometheus',
    'openssl',
    'curl',
    'python3',
    'python3-venv',
    'chromium',
    'openjdk-17-jre-headless',
    'maven',
  ])
  expect(names({ KAFKA_BROKERS: '127.0.0.1:9092' })).toEqual([
    'nginx-light',
    'prometheus',
    'openssl',
    'curl',
    'python3',
    'python3-venv',
    'chromium',
  ])
})

test('CHROMIUM names the browser, and one that is not there is missing', () => {
  const chromium = (path: string) =>
    parts({ CHROMIUM: path })
      .find((part) => part.package === 'chromium')
      ?.here()
  expect(chromium(process.execPath)).toBe(true)
  expect(chromium('/no/such/browser')).toBe(false)
})

test('where nothing may be installed, one sentence names the packages', () => {
  expect(advice(parts({}))).toContain(
    'apt-get install nginx-light prometheus openssl curl python3 python3-venv chromium openjdk-17-jre-headless maven',
  )
})
