import { element, lines, long, mono, number, short, table, tiles } from './table.js'
import { count, duration, pairs, plan, size, time } from './text.js'

/**
 * The sections, by the question that each answers. `show` gets what /inspect.json has, and `open`, which shows the
 * document of a group. `badge`: what the navigation says of it.
 */
export const SECTIONS = [
  {
    id: 'health',
    title: 'Health',
    question: 'Is it well, is it safe to restart?',
    isWide: true,
    badge: ({ health, restart }) =>
      health.isReady ? ['', restart.verdict === 'wait' ? 'warn' : undefined] : ['not ready', 'bad'],
    show: (data) => [summary(data), ...verdict(data)],
  },
  {
    id: 'topics',
    title: 'Topics',
    question: 'Which topic waits, what is skipped and why?',
    isWide: true,
    badge: ({ topics }) => {
      const waiting = topics.filter(({ state }) => state !== 'ready').length
      return waiting > 0 ? [`${waiting} waiting`, 'bad'] : [String(topics.length)]
    },
    show: topics,
  },
  {
    id: 'groups',
    title: 'Groups',
    question: 'Which operation costs? By CPU time a second.',
    isWide: true,
    badge: ({ groups }) => [count(groups.count)],
    show: groups,
  },
  {
    id: 'slow',
    title: 'Slow',
    question: 'Who does not take what is sent?',
    badge: ({ slow }) => [count(slow.count), slow.count > 0 ? 'warn' : undefined],
    show: ({ slow }) => [
      table(
        'Slow members',
        ['Operation', 'Principal', 'Address', 'Full for', 'Behind', 'Late by', 'Request id'],
        slow.members.map(({ operation, field, principal, address, fullMs, behind, requestId }) => [
          short(operation.name ?? field),
          short(principal ?? '–'),
          short(address ?? '–'),
          number(duration(fullMs), fullMs > 10_000 ? 'bad' : 'warn'),
          number(size(behind.bytes)),
          number(duration(behind.ms)),
          mono(requestId ?? '–'),
        ]),
        'Every client takes what it is sent.',
      ),
    ],
  },
  {
    id: 'replays',
    title: 'Replays',
    question: 'How late are clients that read the past?',
    badge: ({ replays }) => [count(replays.count)],
    show: ({ replays }) => [
      table(
        'Replays',
        ['Operation', 'Principal', 'From the', 'Events', 'To go', 'Late by', 'Since', 'Request id'],
        replays.members.map(({ operation, field, principal, events, behind, replay, requestId }) => [
          short(operation.name ?? field),
          short(principal ?? '–'),
          short(replay?.reads ?? 'table'),
          number(count(events)),
          number(count(replay?.offsetsBehind)),
          number(duration(behind.ms)),
          number(duration(replay?.ms)),
          mono(requestId ?? '–'),
        ]),
        'Nobody reads the past.',
      ),
    ],
  },
  {
    id: 'principals',
    title: 'Principals',
    question: 'What does this principal do?',
    isWide: true,
    badge: ({ principals }) => [count(principals.count)],
    show: ({ principals }) => [
      table(
        'Principals',
        ['Principal', 'Kind', 'Streams', 'Of', 'Groups', 'Events/s', 'Bytes/s', 'Events', 'Bytes', 'Refused'],
        principals.shown.map((one) => [
          short(one.principal),
          short(one.kind),
          number(count(one.streams), one.maxStreams !== null && one.streams >= one.maxStreams ? 'warn' : undefined),
          number(count(one.maxStreams)),
          number(count(one.groups)),
          number(count(one.eventsPerSecond)),
          number(size(one.bytesPerSecond)),
          number(count(one.events)),
          number(size(one.bytes)),
          long(pairs(one.refusals), 'bad'),
        ]),
        'No principal has used anything.',
      ),
    ],
  },
  {
    id: 'ends',
    title: 'Ends',
    question: 'Why did this stream end? Search for its request id.',
    badge: ({ ends }) => [count(ends.count)],
    show: ({ ends, at }) => [endsTable('Ends of streams', ends.latest, at)],
  },
  {
    id: 'refusals',
    title: 'Refusals',
    question: 'Who was turned away, and why?',
    badge: ({ refusals }) => [count(refusals.count)],
    show: ({ refusals, at }) => [refusalsTable('Refused requests', refusals.latest, at)],
  },
  {
    id: 'limits',
    title: 'Limits',
    question: 'How full is it?',
    badge: ({ limits }) => {
      const near = limits.filter(({ share }) => share >= 0.8).length
      return near > 0 ? [`${near} near`, 'warn'] : ['']
    },
    show: (data) => [limits(data)],
  },
  {
    id: 'changes',
    title: 'Changes',
    question: 'What has changed?',
    badge: ({ changes }) => [count(changes.length)],
    show: ({ changes, at }) => [
      table(
        'Changes',
        ['Time (UTC)', 'Kind', 'About', 'What'],
        changes.map((change) => [
          short(time(change.at, at)),
          short(change.kind),
          long(change.about),
          long(change.what),
        ]),
        'Nothing that fits the search has changed.',
      ),
    ],
  },
]

/** What is known of a request id or a principal. */
export function found({ request, principal, at }) {
  const shown = []
  for (const one of [request, principal]) {
    if (!one || one.open.count + one.ends.length + one.refusals.length === 0) continue
    shown.push(
      element('h3', {}, one === request ? 'As a request id' : 'As a principal'),
      table(
        'Open streams',
        ['Operation', 'Request id', 'Address', 'Open for', 'Events', 'Bytes'],
        one.open.shown.map((stream) => [
          short(nameOf(stream.operation)),
          mono(stream.requestId),
          short(stream.address),
          number(duration(stream.openSeconds * 1_000)),
          number(count(stream.events)),
          number(size(stream.bytes)),
        ]),
        'No stream of it is open.',
      ),
      endsTable('Its ends', one.ends, at),
      refusalsTable('Its refusals', one.refusals, at),
    )
  }
  return shown
}

function summary({ health, limits, topics, groups, slow, replays, refusals }) {
  const limit = (name) => limits.find((each) => each.name === name)
  const streams = limit('streams')
  const lag = topics.reduce((sum, topic) => sum + topic.lag, 0)
  return tiles([
    ['State', health.isDraining ? 'Draining' : health.isReady ? 'Ready' : 'Not ready', health.isReady ? 'good' : 'bad'],
    ['Streams', `${count(streams?.used)} of ${count(streams?.limit)}`, streams?.share >= 0.8 ? 'warn' : undefined],
    ['Groups', count(groups.count)],
    ['Events/s', count(topics.reduce((sum, topic) => sum + topic.eventsPerSecond, 0))],
    ['Lag, records', count(lag), lag > 10_000 ? 'warn' : undefined],
    ['Slow', count(slow.count), slow.count > 0 ? 'warn' : undefined],
    ['Replays', count(replays.count)],
    ['Refused', count(refusals.count)],
  ])
}

function verdict({ health, restart }) {
  const said = health.isReady ? health.notes : [health.reason]
  return [
    ...(said.length > 0 ? [lines(said, health.isReady ? 'warn' : 'bad')] : []),
    element('h3', { 'data-tone': restart.verdict === 'wait' ? 'warn' : 'good' }, `Restart: ${restart.verdict}`),
    lines([...restart.blockers, ...restart.notes]),
  ]
}

function limits({ limits }) {
  return table(
    'Limits',
    ['Limit', 'Used', 'Of', 'Share', 'How full'],
    limits
      .toSorted((a, b) => b.share - a.share)
      .map(({ name, used, limit, share }) => [
        short(name),
        number(name.endsWith('bytes') ? size(used) : count(used)),
        number(name.endsWith('bytes') ? size(limit) : count(limit)),
        number(`${Math.round(share * 100)} %`, share >= 0.8 ? 'warn' : undefined),
        short(element('meter', { value: String(share), high: '0.8', 'aria-label': `${name}: share used` })),
      ]),
    'There are no limits.',
  )
}

function topics({ topics, at }) {
  return [
    table(
      'Topics',
      ['Topic', 'State', 'Events/s', 'Lag', 'Idle', 'Window', 'Bytes', 'Why, and what was skipped'],
      topics.map((topic) => [
        short(topic.name),
        short(topic.state, topic.state === 'ready' ? 'good' : 'bad'),
        number(count(topic.eventsPerSecond)),
        number(count(topic.lag), topic.lag > 10_000 ? 'warn' : undefined),
        number(duration(idleMs(topic))),
        number(count(topic.window.events)),
        number(size(topic.window.bytes)),
        long(whyOf(topic, at), topic.state === 'ready' ? undefined : 'bad'),
      ]),
      'There are no topics.',
    ),
  ]
}

function idleMs({ partitions }) {
  return partitions.length === 0 ? null : Math.min(...partitions.map(({ idleSeconds }) => idleSeconds)) * 1_000
}

function whyOf({ note, skipped }, at) {
  const reasons = Object.entries(skipped).map(([reason, { count: number, last }]) => {
    const where = last && `, last at ${last.partition}:${last.offset}, ${time(last.at, at)}: ${last.detail}`
    return `${number} ${reason}${where ?? ''}`
  })
  const said = [...(note === undefined ? [] : [note]), ...reasons]
  return element('div', {}, ...said.map((text) => element('div', { class: 'said' }, text)))
}

function groups({ groups }, open) {
  return [
    table(
      'Groups',
      ['Operation', 'Members', 'CPU/s', 'Each', 'Waits', 'Runs/s', 'Frames/s', 'Bytes/s', 'Topic', 'Filter'],
      groups.costliest.map((group) => {
        const button = element('button', { type: 'button', class: 'link' }, group.operation.name ?? group.field)
        if (group.key === null) button.setAttribute('disabled', '')
        else button.addEventListener('click', () => open(group))
        const { cpuMsPerSecond, executions } = group
        return [
          short(button),
          number(pairs(group.members) || 'none'),
          number(
            `${count(cpuMsPerSecond)} ms`,
            cpuMsPerSecond > 100 ? 'bad' : cpuMsPerSecond > 20 ? 'warn' : undefined,
          ),
          number(`${count(Math.round(executions.cpuMs * 1_000))} µs`),
          number(duration(executions.waitMs)),
          number(count(group.executionsPerSecond)),
          number(count(group.framesPerSecond)),
          number(size(group.bytesPerSecond)),
          short(group.topic),
          long(plan(group.filter)),
        ]
      }),
      'No operation runs.',
    ),
  ]
}

const TONES = { stalled: 'bad', failed: 'bad', revoked: 'warn', blocked: 'warn', expired: 'warn' }

function endsTable(label, ends, at) {
  return table(
    label,
    ['Reason', 'Operation', 'Principal', 'Address', 'Ended (UTC)', 'Events', 'Bytes', 'Request id'],
    ends.map((end) => [
      short(end.reason, TONES[end.reason]),
      short(nameOf(end.operation)),
      short(end.principal),
      short(end.address),
      short(time(end.endedAt, at)),
      number(count(end.events)),
      number(size(end.bytes)),
      mono(end.requestId),
    ]),
    'No stream has ended.',
  )
}

function refusalsTable(label, refusals, at) {
  return table(
    label,
    ['Code', 'Principal', 'Address', 'Time (UTC)', 'Request id'],
    refusals.map((refused) => [
      short(refused.code),
      short(refused.principal ?? '–'),
      short(refused.address),
      short(time(refused.at, at)),
      mono(refused.requestId),
    ]),
    'No request was refused.',
  )
}

/** @param {{ name: string | null, hash: string } | null} operation */
function nameOf(operation) {
  return operation ? (operation.name ?? operation.hash.slice(0, 12)) : 'several operations'
}
