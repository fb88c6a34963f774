import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { runTool } from '../../deploy/kafka/broker.ts'
import { answers } from '../../deploy/kafka/probe.ts'
import { describeKafka } from '../kit/kafka.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'deploy', 'kafka', 'main.ts')

describeKafka(
  'npm run kafka',
  () => {
    const children = new Set<ChildProcess>()
    afterEach(() => {
      for (const child of children) child.kill('SIGKILL')
      children.clear()
    })

    /** Runs it up to the two lines that it says. */
    const start = async (...args: string[]) => {
      const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
      children.add(child)
      const said: string[] = []
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line)
        if (said.length === 2) break
      }
      const port = Number(/127\.0\.0\.1:(\d+)/.exec(said[1] ?? '')?.[1])
      return { child, said, port }
    }
    const silence = async (port: number) => {
      while (await answers(port)) await delay(20)
    }

    test('says where its broker is, makes topic orders, and ends with Ctrl-C', async () => {
      const { child, said, port } = await start('--partitions', '3')
      expect(said[0]).toBe(
        `Kafka is at 127.0.0.1:${port}, with topics orders and region-sales in 3 partitions, until Ctrl-C.`,
      )
      expect(said[1]).toBe(`KAFKA_BROKERS=127.0.0.1:${port} npm start`)
      const describe = ['--bootstrap-server', `127.0.0.1:${port}`, '--describe', '--topic', 'orders']
      const { stdout } = await runTool('org.apache.kafka.tools.TopicCommand', describe)
      expect(stdout).toContain('PartitionCount: 3')
      const exit = once(child, 'exit')
      child.kill('SIGINT')
      expect(await exit).toEqual([0, null])
      await silence(port)
    })

    test('leaves no broker behind, even if it is killed with -9', async () => {
      const { child, port } = await start()
      expect(await answers(port)).toBe(true)
      child.kill('SIGKILL')
      await silence(port)
    })

    test('with --brokers 3 is a cluster with its topics on all three, and ends with Ctrl-C', async () => {
      const { child, said } = await start('--brokers', '3')
      const [, addresses = ''] =
        /^Kafka is at (\S+), with topics orders and region-sales in 6 partitions, until/.exec(said[0] ?? '') ?? []
      expect(said[1]).toBe(`KAFKA_BROKERS=${addresses} npm start`)
      const ports = addresses.split(',').map((address) => Number(address.split(':')[1]))
      expect(ports).toHaveLength(3)
      const describe = ['--bootstrap-server', addresses, '--describe', '--topic', 'orders']
      const { stdout } = await runTool('org.apache.kafka.tools.TopicCommand', describe)
      expect(stdout).toContain('ReplicationFactor: 3')
      expect(stdout).toContain('min.insync.replicas=2')
      const exit = once(child, 'exit')
      child.kill('SIGINT')
      expect(await exit).toEqual([0, null])
      for (const port of ports) await silence(port)
    }, 120_000)

    test('refuses a number of brokers that is none', async () => {
      const child = spawn(process.execPath, [MAIN, '--brokers', 'many'], { stdio: ['ignore', 'ignore', 'pipe'] })
      children.add(child)
      const said: string[] = []
      for await (const line of createInterface({ input: child.stderr })) said.push(line)
      expect(said).toEqual(['--brokers is a number from 1 to 9, not many'])
    })

    test('without Java says in a sentence what to install', async () => {
      const child = spawn(process.execPath, [MAIN], { env: { PATH: '/nowhere' }, stdio: ['ignore', 'ignore', 'pipe'] })
      children.add(child)
      const said: string[] = []
      for await (const line of createInterface({ input: child.stderr })) said.push(line)
      expect(said).toEqual([
        'A Kafka broker needs Java 17 or newer on the PATH and none is there: install openjdk-17-jre-headless',
      ])
      if (child.exitCode === null) await once(child, 'exit')
      expect(child.exitCode).toBe(1)
    })
  },
  { ownBroker: true },
)
