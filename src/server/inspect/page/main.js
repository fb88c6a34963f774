import { found, SECTIONS } from './sections.js'
import { element } from './table.js'
import { duration } from './text.js'

/** How often it asks. A look at an instance with 20,000 groups takes it some milliseconds. */
const POLL_MS = 1_500
/** Longest wait for an answer: an instance that is overloaded is not asked again meanwhile. */
const ANSWER_MS = 10_000

const byId = (id) => document.getElementById(id)
const search = byId('search')
const pause = byId('pause')
const dialog = byId('document')
// It scrolls: the keyboard has to get there.
dialog.querySelector('pre').tabIndex = 0

let isPaused = false
/** The request under way, and the timer of the next: there is one of them at most. */
let asking
let timer

/** Where each section shows what it has. */
const bodies = new Map()
const links = new Map()
for (const { id, title, question, isWide } of SECTIONS) {
  const body = element('div', {})
  const heading = element('h2', { id: `${id}-title` }, title)
  const attributes = { id, 'aria-labelledby': `${id}-title`, ...(isWide && { class: 'wide' }) }
  byId('sections').append(element('section', attributes, heading, element('p', { class: 'question' }, question), body))
  bodies.set(id, body)
  const link = element('a', { href: `#${id}` }, title)
  byId('nav').append(link)
  links.set(id, link)
}

/** Asks, shows, and asks again later; at once, if what is searched for has changed. */
async function poll() {
  clearTimeout(timer)
  asking?.abort()
  const own = new AbortController()
  asking = own
  try {
    const signal = AbortSignal.any([own.signal, AbortSignal.timeout(ANSWER_MS)])
    const data = await ask(searched(), signal)
    if (own.signal.aborted) return
    show(data)
    trouble('')
  } catch (error) {
    if (own.signal.aborted) return
    trouble(`The instance does not answer: ${error.message}. What is shown is from before.`)
  }
  asking = undefined
  schedule()
}

function schedule() {
  clearTimeout(timer)
  if (!isPaused && !document.hidden) timer = setTimeout(poll, POLL_MS)
}

async function ask(parameters, signal) {
  const response = await fetch(`inspect.json?${new URLSearchParams(parameters)}`, { signal })
  if (!response.ok) throw new Error((await response.text()).trim() || `status ${response.status}`)
  return await response.json()
}

function searched() {
  const text = search.value.trim()
  return text === '' ? {} : { search: text, request: text, principal: text }
}

function show(data) {
  const { instance, health } = data
  byId('instance').textContent = instance.id
  const up = duration(instance.openSeconds * 1_000)
  byId('about').textContent =
    `Version ${instance.version} on Node ${instance.node}, up ${up}, at ${data.at.slice(11, 19)} UTC`
  const state = health.isDraining ? 'Draining' : health.isReady ? 'Ready' : 'Not ready'
  const tone = health.isReady && !health.isDraining ? 'good' : 'bad'
  status(state, tone)
  for (const section of SECTIONS) {
    const body = bodies.get(section.id)
    // Where somebody is: it is not pulled away, and is shown at the next look.
    if (body.contains(document.activeElement) && document.activeElement.matches('button')) continue
    replace(body, section.show(data, openDocument))
    const [text, toneOf] = section.badge(data)
    const link = links.get(section.id)
    link.replaceChildren(section.title, ...(text === '' ? [] : [' ', element('b', {}, text)]))
    if (toneOf) link.setAttribute('data-tone', toneOf)
    else link.removeAttribute('data-tone')
  }
  const shown = found(data)
  byId('found').hidden = shown.length === 0
  byId('found-title').textContent = `What is known of ${search.value.trim()}`
  byId('found')
    .querySelector('.body')
    .replaceChildren(...shown)
  document.body.dataset.shown = data.at
}

/** Replaces what a section shows, and keeps how far its tables were scrolled and which of them has the focus. */
function replace(body, content) {
  const before = [...body.querySelectorAll('.scroll')]
  const kept = before.map((each) => ({ left: each.scrollLeft, hasFocus: each === document.activeElement }))
  body.replaceChildren(...content)
  for (const [index, each] of [...body.querySelectorAll('.scroll')].entries()) {
    each.scrollLeft = kept[index]?.left ?? 0
    if (kept[index]?.hasFocus) each.focus({ preventScroll: true })
  }
}

/** It is read out where it changes, and not each time. */
function status(text, tone) {
  const pill = byId('status')
  if (pill.textContent !== text) pill.querySelector('span').textContent = text
  pill.dataset.state = tone
}

function trouble(text) {
  const place = byId('trouble')
  place.hidden = text === ''
  if (place.textContent !== text) place.textContent = text
}

async function openDocument({ key, operation, field }) {
  const shown = dialog.querySelector('pre')
  byId('document-title').textContent = operation.name ?? field
  shown.textContent = 'Loading'
  dialog.showModal()
  try {
    const { group } = await ask({ group: key, groups: '0' }, AbortSignal.timeout(ANSWER_MS))
    shown.textContent = group
      ? `# SHA-256 ${group.operation.hash ?? 'unknown'}\n${group.document}`
      : 'The group has ended.'
  } catch (error) {
    shown.textContent = `It could not be had: ${error.message}`
  }
}

search.value = new URLSearchParams(location.search).get('search') ?? ''
search.addEventListener('input', () => {
  const text = search.value.trim()
  history.replaceState(null, '', text === '' ? location.pathname : `?${new URLSearchParams({ search: text })}`)
  void poll()
})
byId('find').addEventListener('submit', (event) => event.preventDefault())
pause.addEventListener('click', () => {
  isPaused = !isPaused
  pause.setAttribute('aria-pressed', String(isPaused))
  pause.textContent = isPaused ? 'Go on' : 'Pause'
  if (isPaused) schedule()
  else void poll()
})
document.addEventListener('visibilitychange', () => {
  if (document.hidden) schedule()
  else if (!isPaused) void poll()
})
void poll()
