import { describe, expect, test } from 'vitest'
import { parseProduceCommand } from '../../src/demo/produce-options.ts'

const options = (line: string) => {
  const command = parseProduceCommand(line.split(' ').filter(Boolean))
  if (command.kind !== 'produce') throw new Error(JSON.stringify(command))
  return command.options
}
const refusal = (line: string) => {
  const command = parseProduceCommand(line.split(' ').filter(Boolean))
  return command.kind === 'invalid' ? command.message : command
}

test('only the brokers are needed', () => {
  expect(options('--brokers localhost:9092')).toEqual({
    brokers: ['localhost:9092'],
    rate: 20,
    topic: 'orders',
    seed: 1,
  })
})

test('every option is read', () => {
  expect(options('--brokers a:1,[::1]:2 --rate 0.5 --count 10000 --topic eu.orders --seed=-7')).toEqual({
    brokers: ['a:1', '[::1]:2'],
    rate: 0.5,
    count: 10_000,
    topic: 'eu.orders',
    seed: -7,
  })
})

test('--help asks for nothing else', () => {
  expect(parseProduceCommand(['--help'])).toEqual({ kind: 'help' })
})

describe('a mistake is one line that names the option, what it got and what it wants', () => {
  test.each([
    ['', '--brokers is needed: host:port, several separated by commas'],
    ['--brokers localhost', '--brokers wants host:port, several separated by commas, not "localhost"'],
    ['--brokers a:1,', '--brokers wants host:port, several separated by commas, not "a:1,"'],
    ['--brokers a:1 --rate fast', '--rate wants a number from 0.001 to 100000, not "fast"'],
    ['--brokers a:1 --rate 0', '--rate wants a number from 0.001 to 100000, not "0"'],
    ['--brokers a:1 --rate 1000000', '--rate wants a number from 0.001 to 100000, not "1000000"'],
    ['--brokers a:1 --count 1.5', '--count wants a whole number from 1 up, not "1.5"'],
    ['--brokers a:1 --count 0', '--count wants a whole number from 1 up, not "0"'],
    ['--brokers a:1 --seed x', '--seed wants an integer, not "x"'],
    ['--brokers a:1 --topic a/b', '--topic wants 1 to 249 of a-z A-Z 0-9 . _ -, not "a/b"'],
  ])('%s', (line, message) => {
    expect(refusal(line)).toBe(message)
  })

  test.each(['--brokers', '--speed 1', 'localhost:9092'])('%s', (line) => {
    expect(refusal(line)).toMatch(/^[^\n]+$/)
  })
})
