import { type ConnectionState, createSluiceClient } from '@sluice/client'
import { LiveSalesDocument, type MapOrderFragment } from './gql/graphql.ts'
import { WorldMap } from './map/world-map.ts'
import { Counts } from './model/counts.ts'
import { Latency } from './model/latency.ts'
import { OwnOrders } from './model/own-orders.ts'
import { REGIONS } from './model/regions.ts'
import { Sales } from './model/sales.ts'
import { isFiltered, meets, searchOf, type View, viewOf } from './model/view.ts'
import { atLeast, differenceOf, UNKNOWN } from './stream/clock.ts'
import { operationOf } from './stream/orders.ts'
import { createPausableFetch } from './stream/pausable-fetch.ts'
import { Session } from './stream/session.ts'
import { trackClock } from './stream/track-clock.ts'
import { Announcer } from './ui/announcer.ts'
import { Away } from './ui/away.ts'
import { Filters } from './ui/filters.ts'
import { count, euros } from './ui/format.ts'
import { Instruments } from './ui/instruments.ts'
import { pickPlace } from './ui/map-picker.ts'
import { Notes } from './ui/notes.ts'
import { OrderDialog } from './ui/order-dialog.ts'
import { Overlay } from './ui/overlay.ts'
import { markOwn } from './ui/own-marker.ts'
import { byId, setText } from './ui/page.ts'
import { QueryDialog } from './ui/query-dialog.ts'
import { RegionPanels } from './ui/region-panels.ts'
import { StatePill, textOf } from './ui/state-pill.ts'
import { ThemeSwitch } from './ui/theme.ts'
import { Ticker } from './ui/ticker.ts'
import { TrialButtons } from './ui/trial-buttons.ts'

const URL_OF_GRAPHQL = '/graphql'
/** Texts are drawn this often; the map in every frame. */
const DRAW_TEXTS_MS = 250

/** The composition root of the page, in the order in which data flows: clients, models, map, panels. */
export function startLiveMap() {
  const pausable = createPausableFetch()
  const streams = createSluiceClient({ url: URL_OF_GRAPHQL, fetch: pausable.fetch })
  const client = createSluiceClient({ url: URL_OF_GRAPHQL })

  const counts = new Counts()
  const sales = new Sales()
  const latency = new Latency()
  const own = new OwnOrders()
  let clock = UNKNOWN
  const bestClock = () => atLeast(clock, latency.leastDifference())
  const gatewayNow = () => Date.now() + (differenceOf(clock) ?? 0)
  let view = viewOf(location.search)

  const notes = new Notes()
  const away = new Away(notes)
  const motion = matchMedia('(prefers-reduced-motion: reduce)')
  const host = byId('map')
  const theme = new ThemeSwitch((changed) => {
    map.theme = changed
  })
  const map = new WorldMap({
    host,
    theme: theme.theme,
    reducedMotion: motion.matches,
    onDrawn(order, isMeasured) {
      if (isMeasured) latency.add(Date.now() - Date.parse(order.placedAt))
      ifOwn(order)
    },
  })
  motion.addEventListener('change', () => {
    map.reducedMotion = motion.matches
  })
  const ticker = new Ticker(own.ids, () => motion.matches)

  const session = new Session({
    client: streams,
    pausable,
    witnessClient: client,
    onOrder(order, isPast) {
      counts.add(order, !isPast, performance.now())
      ticker.add(order)
      if (order.status !== 'PLACED') return
      if (isPast || document.hidden) {
        map.addPast(order)
        ifOwn(order)
      } else map.add(order, session.state.status === 'live' && !pausable.isPaused)
      away.count()
    },
    onGap: (gap) => notes.gap(gap),
    onEventError: () => notes.eventError(),
  })

  let salesState: ConnectionState = { status: 'connecting' }
  client.subscribe(
    { query: LiveSalesDocument },
    {
      next: ({ data }) => {
        if (data) sales.take(data.regionSales)
      },
      onState: (state) => {
        salesState = state
      },
      // After a gap a table begins anew, by RESET: nothing to be done.
      onGap() {},
      onCaughtUp() {},
      onEventError: () => notes.eventError(),
    },
  )

  const show = (next: View, how: 'pushState' | 'replaceState' | undefined) => {
    view = next
    if (how) history[how](null, '', `${location.pathname}${searchOf(view)}`)
    counts.clear()
    ticker.clear()
    latency.clear()
    map.clear()
    map.show(view.region)
    panels.mark(view.region)
    filters.show(view)
    session.open(view)
  }
  const change = (next: View) => {
    if (searchOf(next) !== searchOf(view)) show(next, 'pushState')
  }

  const panels = new RegionPanels(sales, counts, (region) => {
    const { region: former, merchant: _merchant, ...rest } = view
    change(region === former ? rest : { ...rest, region })
  })
  const filters = new Filters(change)
  const instruments = new Instruments(latency)
  const trials = new TrialButtons(session)
  const pill = new StatePill()
  const announcer = new Announcer()
  const orderDialog = new OrderDialog({
    client,
    notes,
    merchant: () => view.merchant,
    pick: () => pickPlace(host, map),
    onPlaced(order, startedAt) {
      const ms = own.placed(order, startedAt)
      ticker.ownChanged()
      if (ms !== undefined) return showOwn(order, ms)
      if (!meets(view, order)) orderDialog.outOfView(order)
    },
  })
  const overlay = new Overlay({ retry: () => session.reopen(), placeOrder: () => orderDialog.open() })
  new QueryDialog(() => operationOf(view))

  function ifOwn(order: MapOrderFragment): void {
    const ms = own.drawn(order, performance.now())
    if (ms !== undefined) showOwn(order, ms)
  }

  function showOwn(order: MapOrderFragment, ms: number): void {
    orderDialog.drawn(order, ms)
    const at = map.pointOf(order.location)
    if (at) markOwn(host, order, at, ms)
  }

  const drawTexts = () => {
    if (document.hidden) return
    const now = Date.now()
    pill.show([session.state], now)
    panels.draw(gatewayNow(), view)
    ticker.draw()
    instruments.draw({ cursor: session.position, clock: bestClock(), events: counts.events })
    overlay.show(session.state, { isEmpty: counts.events === 0, isFiltered: isFiltered(view) }, now)
    const hasNoTable = !sales.isReady && salesState.status !== 'connecting' && salesState.status !== 'live'
    setText(byId('sales-state'), hasNoTable ? 'counted from the stream: there is no table of sales' : '')
    announcer.tell(
      textOf(session.state, now),
      () => `${count(panels.total.perMinute)} orders in the last minute, ${euros(panels.total.salesPerMinute)}`,
      now,
    )
  }

  addEventListener('popstate', () => show(viewOf(location.search), undefined))
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a')
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey
    if (!link?.getAttribute('href')?.startsWith('?') || !isPlain) return
    event.preventDefault()
    change(viewOf(link.search))
  })
  for (const button of document.querySelectorAll('[data-close]')) {
    button.addEventListener('click', () => button.closest('dialog')?.close())
  }
  document.addEventListener('visibilitychange', drawTexts)
  trackClock(URL_OF_GRAPHQL, (bounds) => {
    clock = bounds
  })
  show(view, 'replaceState')
  setInterval(drawTexts, DRAW_TEXTS_MS)

  /** The page's state, for tests and the console. */
  return {
    pointOf: (lon: number, lat: number) => map.pointOf({ lon, lat }),
    snapshot: () => ({
      state: session.state.status,
      hasBegun: session.hasBegun,
      view,
      cursor: session.position,
      placed: Object.fromEntries(REGIONS.map((region, i) => [region, counts.placed[i] ?? 0])),
      events: counts.events,
      sales: Object.fromEntries(REGIONS.map((region) => [region, sales.figures(region, gatewayNow(), 1).orders])),
      latency: { count: latency.size, ...latency.summary(differenceOf(bestClock()) ?? 0) },
      clock: bestClock(),
      frames: {
        count: map.frames.count,
        dropped: map.frames.dropped,
        longestMs: map.frames.longestMs,
        hasRings: map.frames.hasRings,
      },
      pulses: map.pulses,
      trial: trials.last,
      gaps: notes.gaps,
      eventErrors: notes.eventErrors,
      theme: document.documentElement.dataset.theme,
    }),
  }
}
